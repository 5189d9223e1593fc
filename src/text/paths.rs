//! Paths that somebody else names: which may be written in a repository, which only after a person was asked, and
//! which never.
//!
//! A path is relative to the repository's root and has `/` between its segments. [`check`] judges one path by its
//! text, [`check_all`] a set that is written together, and [`Tree::check`] a path against what is in the repository.
//! What passes all three names, on every file system that people check out to, one file within the working tree that
//! is not git's own. Sources: the rules of git's `verify_path` (those for HFS+ and NTFS included) and Microsoft's list of
//! reserved names.

mod care;
mod tree;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::visible::invisible;
pub use care::Care;
pub use tree::{Entry, Tree};

/// The longest path, in bytes: Linux's `PATH_MAX`.
pub const LONGEST_PATH: usize = 4096;

/// The longest segment, in bytes: what most file systems can name.
pub const LONGEST_SEGMENT: usize = 255;

/// What no name has on Windows, beside control characters and what divides segments.
const RESERVED: [char; 7] = ['<', '>', ':', '"', '|', '?', '*'];

/// What a path that is not refused may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is written like any other.
    Plain,
    /// A person must have approved it, because of what such a file decides.
    Ask(Care),
}

/// Why a path is refused. Shown, each is a sentence that says what is wrong and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathRule {
    /// There is no path.
    Empty,
    /// More than [`LONGEST_PATH`].
    TooLong,
    /// A segment has more than [`LONGEST_SEGMENT`].
    SegmentTooLong,
    /// It begins at the root of a file system.
    Absolute,
    /// It begins with a drive's letter.
    Drive,
    /// It names another machine's share.
    Share,
    /// It has a `\`, which divides segments on Windows.
    Backslash,
    /// It has NUL, a line break or another control character.
    Control,
    /// It has a character that nobody sees, or that turns the order of what is seen.
    Hidden,
    /// Its letters are not composed as Unicode's NFC does.
    NotNfc,
    /// Two `/` follow each other, or it ends with one.
    EmptySegment,
    /// A segment is `.` or `..`.
    DotSegment,
    /// A segment ends with a dot or a space, which Windows takes off.
    TrailingDotOrSpace,
    /// A segment is `.git`, or what a file system takes for it.
    GitDirectory,
    /// It is `.gitmodules`, or what a file system takes for it.
    GitModules,
    /// A segment is a device on Windows.
    Device,
    /// A segment has a character that Windows does not allow, such as the colon of a stream.
    Reserved,
    /// A `.gitattributes` that names a filter: a program that runs at checkout.
    Filter,
    /// Another path is the same where upper and lower case are.
    SameAs(String),
    /// Another path of the set, or a file in the repository, would have to be a directory.
    BelowFile(String),
    /// A parent is a symbolic link.
    BelowSymlink(String),
    /// A parent is a submodule.
    BelowSubmodule(String),
    /// The path itself is a symbolic link, a submodule or a directory in the repository.
    NotAFile(String),
}

impl PathRule {
    /// The rule in a word, the same whatever the path.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too-long",
            Self::SegmentTooLong => "segment-too-long",
            Self::Absolute => "absolute",
            Self::Drive => "drive",
            Self::Share => "share",
            Self::Backslash => "backslash",
            Self::Control => "control",
            Self::Hidden => "hidden",
            Self::NotNfc => "not-nfc",
            Self::EmptySegment => "empty-segment",
            Self::DotSegment => "dot-segment",
            Self::TrailingDotOrSpace => "trailing-dot-or-space",
            Self::GitDirectory => "git-directory",
            Self::GitModules => "git-modules",
            Self::Device => "device",
            Self::Reserved => "reserved-character",
            Self::Filter => "filter",
            Self::SameAs(_) => "same-as",
            Self::BelowFile(_) => "below-file",
            Self::BelowSymlink(_) => "below-symlink",
            Self::BelowSubmodule(_) => "below-submodule",
            Self::NotAFile(_) => "not-a-file",
        }
    }
}

impl fmt::Display for PathRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the path is empty: name a file"),
            Self::TooLong => write!(f, "the path has more than {LONGEST_PATH} bytes"),
            Self::SegmentTooLong => write!(f, "a name within the path has more than {LONGEST_SEGMENT} bytes"),
            Self::Absolute => f.write_str("the path is absolute: it must be relative to the repository's root"),
            Self::Drive => f.write_str("the path names a drive: it must be relative to the repository's root"),
            Self::Share => f.write_str("the path names a network share: it must be relative to the repository's root"),
            Self::Backslash => f.write_str("the path has a backslash: use / between names"),
            Self::Control => f.write_str("the path has a control character"),
            Self::Hidden => f.write_str("the path has a character that nobody sees"),
            Self::NotNfc => f.write_str("the path is not in Unicode's composed form (NFC)"),
            Self::EmptySegment => f.write_str("the path has an empty name: two / in a row, or one at its end"),
            Self::DotSegment => f.write_str("the path has . or .. in it: write it out"),
            Self::TrailingDotOrSpace => f.write_str("a name within the path ends with a dot or a space"),
            Self::GitDirectory => f.write_str("the path is within git's own directory"),
            Self::GitModules => f.write_str("the path is .gitmodules, which decides what is fetched from where"),
            Self::Device => f.write_str("a name within the path is a device on Windows"),
            Self::Reserved => {
                f.write_str("a name within the path has one of < > : \" | ? *, which Windows does not allow")
            }
            Self::Filter => f.write_str("the attributes name a filter, which is a program that runs at checkout"),
            Self::SameAs(other) => write!(
                f,
                "the path is the same as {other} where upper and lower case are the same"
            ),
            Self::BelowFile(parent) => write!(f, "{parent} is a file and cannot have files below it"),
            Self::BelowSymlink(parent) => write!(f, "{parent} is a symbolic link: what is below it is elsewhere"),
            Self::BelowSubmodule(parent) => {
                write!(f, "{parent} is a submodule: what is below it is another repository's")
            }
            Self::NotAFile(path) => write!(
                f,
                "{path} is not a plain file in the repository: it cannot be written over"
            ),
        }
    }
}

impl std::error::Error for PathRule {}

/// Judges one path by its text alone.
///
/// # Errors
/// The first rule that it breaks.
pub fn check(path: &str) -> Result<Verdict, PathRule> {
    whole(path)?;
    for segment in path.split('/') {
        self::segment(segment)?;
    }
    if folded(path.rsplit('/').next().unwrap_or_default()) == ".gitmodules" {
        return Err(PathRule::GitModules);
    }
    Ok(care::care(path).map_or(Verdict::Plain, Verdict::Ask))
}

/// Judges paths that are written together, in their order.
///
/// # Errors
/// The first path that breaks a rule by itself or with another, and the rule.
pub fn check_all<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<Vec<Verdict>, (&'a str, PathRule)> {
    let mut verdicts = Vec::new();
    let mut by_fold: BTreeMap<String, &'a str> = BTreeMap::new();
    for path in paths {
        verdicts.push(check(path).map_err(|rule| (path, rule))?);
        if let Some(other) = by_fold.insert(folded(path), path) {
            return Err((path, PathRule::SameAs(other.to_owned())));
        }
    }
    for (fold, path) in &by_fold {
        if let Some(file) = parents(fold).find_map(|parent| by_fold.get(parent)) {
            return Err((path, PathRule::BelowFile((*file).to_owned())));
        }
    }
    Ok(verdicts)
}

/// Judges the text of a `.gitattributes`: none may name a filter, because git runs it as a program.
///
/// # Errors
/// [`PathRule::Filter`].
pub fn check_attributes(text: &str) -> Result<(), PathRule> {
    // A macro (`[attr]name filter=x`) names the filter in its own line.
    let names_filter = |line: &str| {
        let attributes = line.split_ascii_whitespace().skip(1);
        !line.trim_start().starts_with('#')
            && attributes
                .into_iter()
                .any(|word| word == "filter" || word.starts_with("filter="))
    };
    match text.lines().any(names_filter) {
        true => Err(PathRule::Filter),
        false => Ok(()),
    }
}

fn whole(path: &str) -> Result<(), PathRule> {
    let bytes = path.as_bytes();
    let drive = bytes.first().is_some_and(u8::is_ascii_alphabetic) && bytes.get(1) == Some(&b':');
    let rules = [
        (path.is_empty(), PathRule::Empty),
        (path.len() > LONGEST_PATH, PathRule::TooLong),
        (path.starts_with("\\\\") || path.starts_with("//"), PathRule::Share),
        (path.starts_with('/'), PathRule::Absolute),
        (drive, PathRule::Drive),
        (path.contains('\\'), PathRule::Backslash),
        (path.chars().any(char::is_control), PathRule::Control),
        (path.chars().any(unseen), PathRule::Hidden),
        (!is_nfc(path), PathRule::NotNfc),
    ];
    first_broken(rules)
}

fn segment(segment: &str) -> Result<(), PathRule> {
    let rules = [
        (segment.is_empty(), PathRule::EmptySegment),
        (segment == "." || segment == "..", PathRule::DotSegment),
        (segment.len() > LONGEST_SEGMENT, PathRule::SegmentTooLong),
        (is_git_directory(segment), PathRule::GitDirectory),
        (is_git_modules(segment), PathRule::GitModules),
        (segment.ends_with(['.', ' ']), PathRule::TrailingDotOrSpace),
        (is_device(segment), PathRule::Device),
        (segment.contains(RESERVED), PathRule::Reserved),
    ];
    first_broken(rules)
}

fn first_broken<const COUNT: usize>(rules: [(bool, PathRule); COUNT]) -> Result<(), PathRule> {
    match rules.into_iter().find(|(broken, _)| *broken) {
        Some((_, rule)) => Err(rule),
        None => Ok(()),
    }
}

/// What shows nothing. The joiners too: in the name of a file they join nothing that a reviewer would miss.
fn unseen(c: char) -> bool {
    invisible(c) || matches!(c, '\u{200C}'..='\u{200F}' | '\u{FE00}'..='\u{FE0F}' | '\u{2028}' | '\u{2029}')
}

/// Whether a file system may take a segment for `.git`: NTFS drops what follows a colon and dots and spaces at the end,
/// and knows the short name `git~1`; others compare letters by their compatible form.
fn is_git_directory(segment: &str) -> bool {
    matches!(plain(segment).as_str(), ".git" | "git~1")
}

/// The same for `.gitmodules`, whose short names are `gitmod~1` to `gitmod~4` and, when those are taken, `gi7eba~1` and
/// so on.
fn is_git_modules(segment: &str) -> bool {
    let name = plain(segment);
    let short = name.split_once('~').is_some_and(|(stem, digits)| {
        !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && matches!(stem, "gitmod" | "gi7eba" | "gi7eb" | "gi7e" | "gi7" | "gi")
    });
    name == ".gitmodules" || short
}

/// A segment as a lenient file system compares it.
fn plain(segment: &str) -> String {
    let compatible: String = segment.nfkc().collect();
    let stream = compatible.split(':').next().unwrap_or_default();
    folded(stream.trim_end_matches(['.', ' ']))
}

/// Names that Windows keeps for devices, whatever follows a dot or a colon.
fn is_device(segment: &str) -> bool {
    let stem = segment
        .split(['.', ':'])
        .next()
        .unwrap_or_default()
        .trim_end_matches(' ');
    let stem = stem.to_ascii_uppercase();
    let numbered = |of: &str| {
        stem.strip_prefix(of).is_some_and(|number| {
            let mut characters = number.chars();
            matches!(characters.next(), Some('0'..='9' | '\u{B9}' | '\u{B2}' | '\u{B3}')) && characters.next().is_none()
        })
    };
    let named = matches!(
        stem.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$"
    );
    named || numbered("COM") || numbered("LPT")
}

/// A path as a file system compares it that does not tell upper from lower case, nor one composition of a letter from
/// another. Upper case first: some letters have one upper and two lower forms.
pub(crate) fn folded(path: &str) -> String {
    let upper = path.nfc().flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).nfc().collect()
}

/// The directories that a path is in, the outermost first.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}
