//! CODEOWNERS: who owns which path, by GitHub's rules
//! (<https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>).
//!
//! Patterns are those of a gitignore file without negation, character ranges and an escaped `#`; the last line that
//! matches counts, and one without owners takes ownership away. Sections are another host's and are skipped like any
//! line that is not understood, as GitHub does.

use crate::workflow::gate::Candidate;

/// Where GitHub looks, in its order; the first file that exists is the one.
pub const PATHS: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// A file, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CodeOwners {
    rules: Vec<CodeRule>,
    /// Lines that say nothing.
    pub skipped: Vec<Skipped>,
}

/// A line that was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its number, from 1.
    pub line: usize,
    /// Why.
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct CodeRule {
    pattern: Pattern,
    owners: Vec<Candidate>,
}

/// A pattern's segments, and where they may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    segments: Vec<String>,
    anchored: bool,
    /// It ends in a slash, so what it names is a directory.
    directory: bool,
}

impl CodeOwners {
    /// Reads a file. Lines that make no sense are skipped and named.
    pub fn parse(text: &str) -> Self {
        let mut read = Self::default();
        for (at, line) in text.lines().enumerate() {
            match rule(line) {
                Ok(None) => {}
                Ok(Some(rule)) => read.rules.push(rule),
                Err(why) => read.skipped.push(Skipped { line: at + 1, why }),
            }
        }
        read
    }

    /// The owners of a file, by its path from the repository's root; nobody where no line or one without owners counts.
    pub fn owners_of(&self, path: &str) -> &[Candidate] {
        let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let last = self.rules.iter().rev().find(|rule| rule.pattern.matches(&segments));
        last.map_or(&[], |rule| &rule.owners)
    }
}

fn rule(line: &str) -> Result<Option<CodeRule>, String> {
    let words = words(line);
    let Some((pattern, owners)) = words.split_first() else {
        return Ok(None);
    };
    let pattern = Pattern::parse(pattern)?;
    let owners = owners.iter().map(|word| owner(word)).collect::<Result<_, _>>()?;
    Ok(Some(CodeRule { pattern, owners }))
}

/// A line's words up to its comment. A space within a path is written `\ `.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => word.extend(letters.next()),
            '#' if word.is_empty() => break,
            letter if letter.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            letter => word.push(letter),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `@login`, `@org/team`, or an address. Whose address it is cannot be asked, so it stands for nobody's login: the
/// path has an owner, and none that an approval could be known to be of.
fn owner(word: &str) -> Result<Candidate, String> {
    match word.starts_with('@') {
        true => word.parse(),
        false if word.contains('@') => Ok(Candidate::Person(word.to_lowercase())),
        false => Err(format!("{word:?} is no owner")),
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with('!') || text.contains(['[', ']']) {
            return Err(format!("{text:?} is no pattern of CODEOWNERS"));
        }
        let directory = text.ends_with('/');
        let inner = text.trim_end_matches('/');
        let anchored = inner.contains('/');
        let segments: Vec<String> = inner
            .split('/')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        if segments.is_empty() {
            return Err(format!("{text:?} names no path"));
        }
        Ok(Self {
            segments,
            anchored,
            directory,
        })
    }

    fn matches(&self, path: &[&str]) -> bool {
        let starts = if self.anchored { 1 } else { path.len() };
        (0..starts.max(1)).any(|start| path.get(start..).is_some_and(|rest| self.from(&self.segments, rest)))
    }

    /// Whether the pattern's segments match the beginning of a path and the rest may lie below what they name.
    fn from(&self, pattern: &[String], path: &[&str]) -> bool {
        match (pattern, path) {
            ([], []) => !self.directory,
            ([], [_, ..]) => self.directory || self.reaches_below(),
            ([first, rest @ ..], _) if first == "**" => {
                let below = rest.is_empty() && !path.is_empty();
                below || (0..=path.len()).any(|skipped| !rest.is_empty() && self.from(rest, &path[skipped..]))
            }
            ([first, rest @ ..], [name, below @ ..]) => like(first, name) && self.from(rest, below),
            ([_, ..], []) => false,
        }
    }

    /// `docs/*` means what lies in the directory itself, not below it.
    fn reaches_below(&self) -> bool {
        !(self.anchored && self.segments.last().is_some_and(|last| last == "*"))
    }
}

/// Whether a name is like a pattern in which `*` stands for any letters and `?` for one.
fn like(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // Which beginnings of the pattern match the name read so far.
    let mut reached = vec![false; pattern.len() + 1];
    reached[0] = true;
    for at in 0..pattern.len() {
        reached[at + 1] = reached[at] && pattern[at] == '*';
    }
    for letter in name {
        let mut next = vec![false; pattern.len() + 1];
        for at in 0..pattern.len() {
            next[at + 1] = match pattern[at] {
                '*' => next[at] || reached[at + 1] || reached[at],
                '?' => reached[at],
                other => reached[at] && other == letter,
            };
        }
        reached = next;
    }
    reached[pattern.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner_of(file: &str, path: &str) -> String {
        let read = CodeOwners::parse(file);
        let owners: Vec<String> = read.owners_of(path).iter().map(ToString::to_string).collect();
        owners.join(" ")
    }

    /// The cases of GitHub's own example file.
    #[test]
    fn patterns_match_as_githubs_example_says() {
        for (pattern, path, owned) in [
            ("*", "a", true),
            ("*", "a/b/c", true),
            ("*.js", "a.js", true),
            ("*.js", "deep/down/a.js", true),
            ("*.js", "a.json", false),
            ("/build/logs/", "build/logs/x", true),
            ("/build/logs/", "build/logs/deep/x", true),
            ("/build/logs/", "other/build/logs/x", false),
            ("/build/logs/", "build/logs", false),
            ("docs/*", "docs/getting-started.md", true),
            ("docs/*", "docs/build-app/troubleshooting.md", false),
            ("apps/", "apps/x", true),
            ("apps/", "deep/apps/down/x", true),
            ("apps/", "apps", false),
            ("/docs/", "docs/x/y", true),
            ("/docs/", "a/docs/x", false),
            ("**/logs", "build/logs/x", true),
            ("**/logs", "deep/down/logs/x", true),
            ("**/logs", "logs", true),
            ("**/logs", "catalogs/x", false),
            ("/apps/github", "apps/github/x", true),
            ("/apps/github", "apps/github", true),
            ("/apps/github", "apps/githubs", false),
            ("a/**/z", "a/z", true),
            ("a/**/z", "a/b/c/z", true),
            ("src/**", "src/x/y", true),
            ("src/**", "src", false),
            ("file?.txt", "file1.txt", true),
            ("file?.txt", "file.txt", false),
            ("Docs/", "docs/x", false),
            ("with\\ space/", "with space/x", true),
        ] {
            let expected = if owned { "@o" } else { "" };
            assert_eq!(owner_of(&format!("{pattern} @o\n"), path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn the_last_line_counts_and_can_take_ownership_away() {
        let file = "# owners\n* @global @Acme/All # both\n/apps/ @octocat\n/apps/github\n*.md docs@example.com\n";
        assert_eq!(owner_of(file, "x"), "@global @acme/all");
        assert_eq!(owner_of(file, "apps/x"), "@octocat");
        assert_eq!(owner_of(file, "apps/github/x"), "");
        assert_eq!(owner_of(file, "x.md"), "@docs@example.com");
    }

    #[test]
    fn lines_that_make_no_sense_are_skipped_and_named() {
        let read = CodeOwners::parse("[Section] @a\n!x @a\n/ @a\nx nobody\ny @a/b/c\nok @a\n");
        let lines: Vec<usize> = read.skipped.iter().map(|skipped| skipped.line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 5]);
        assert_eq!(read.owners_of("ok").len(), 1);
    }
}
