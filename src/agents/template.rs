//! Templates of prompts, which repositories bring: a small language, filled in within bounds.
//!
//! A template shows values and has `if` and `for`, and no more. minijinja bounds the work of a template, not its memory:
//! one line that joins a text to itself thirty times has a gigabyte. So whatever can make a value out of others (operators,
//! filters, calls, assignments) is refused before anything is filled in, and what comes out has a bound.

use std::io;

use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};

/// Instructions that a template may use up: far beyond what ours need, far below what a loop of a changed one takes.
const FUEL: u64 = 200_000;

/// What a template may write beyond the longest values that it is given.
const OWN: usize = 1 << 20;

/// The words that a block may begin with.
const BLOCKS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];

/// Fills a template in. What it is not given, it cannot show: an unknown name is an error. `given` is how long the values
/// are together.
pub(super) fn fill(name: &str, source: &str, values: Value, given: usize) -> Result<String, Error> {
    plain(source)?;
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    let most = OWN.saturating_add(given.saturating_mul(2));
    let mut page = Page { text: Vec::new(), most };
    let template = environment.template_from_named_str(name, source)?;
    match template.render_captured_to(values, &mut page) {
        Ok(_) => Ok(String::from_utf8_lossy(&page.text).into_owned()),
        Err(error) if error.kind() == ErrorKind::WriteFailure => {
            Err(refused(format!("it writes more than {} KiB", most / 1024)))
        }
        Err(error) => Err(error),
    }
}

fn refused(text: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, text)
}

/// The line of a tag that is not taken.
#[derive(Debug, thiserror::Error)]
#[error("line {0}")]
struct AtLine(usize);

/// The line of a template at which it failed, from 1.
pub(super) fn line(error: &Error) -> Option<usize> {
    let refused = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    refused.map(|AtLine(line)| *line).or_else(|| error.line())
}

/// Whether each tag of a template shows a value, or is an `if` or a `for`.
///
/// Within a tag there are only names, numbers, commas and comparisons. There are no quotes and no brackets, so that a tag
/// ends where it seems to.
fn plain(source: &str) -> Result<(), Error> {
    let mut rest = source;
    while let Some(at) = rest.find('{') {
        rest = &rest[at + 1..];
        let (end, block) = match rest.chars().next() {
            Some('{') => ("}}", false),
            Some('%') => ("%}", true),
            Some('#') => {
                rest = rest.split_once("#}").map_or("", |(_, after)| after);
                continue;
            }
            _ => continue,
        };
        let Some((tag, after)) = rest[1..].split_once(end) else {
            // What never ends is a mistake of the language, which says so.
            return Ok(());
        };
        rest = after;
        let strange = |c: &char| !(c.is_alphanumeric() || c.is_whitespace() || "_.,=!<>-".contains(*c));
        let words = tag.trim_matches(['-', '+']).trim();
        let above = source.len() - after.len() - end.len() - tag.len();
        let line = AtLine(source[..above].matches('\n').count() + 1);
        if let Some(c) = words.chars().find(strange) {
            return Err(not_taken(words, &format!("`{c}` is not taken there")).with_source(line));
        }
        let first = words
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .unwrap_or_default();
        if block && !BLOCKS.contains(&first) {
            return Err(not_taken(words, &format!("`{first}` is not taken there")).with_source(line));
        }
    }
    Ok(())
}

/// Letters of a tag that are repeated.
const SHOWN: usize = 60;

fn not_taken(tag: &str, why: &str) -> Error {
    let shown: String = tag.chars().take(SHOWN).collect();
    refused(format!(
        "`{shown}`: {why}; a template shows values by their names and has `if` and `for`, without filters, calls, operators \
         and assignments"
    ))
}

/// What is written, up to a bound.
struct Page {
    text: Vec<u8>,
    most: usize,
}

impl io::Write for Page {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if self.text.len().saturating_add(more.len()) > self.most {
            return Err(io::Error::other("the bound is reached"));
        }
        self.text.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn filled(source: &str) -> Result<String, String> {
        let standards = context! { name => "house", text => "Write tests." };
        let values = context! { schema => "{\"type\": \"object\"}", schema_name => "plan.v1", standards => standards };
        fill("t", source, values, 100).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_shown_and_there_are_conditions_and_loops() {
        for (source, wanted) in [
            (
                "A plan by {{ schema_name }}:\n{{schema}}",
                "A plan by plan.v1:\n{\"type\": \"object\"}",
            ),
            (
                "{% if standards is defined and standards.name != 0 %}{{- standards.text -}}{% endif %}",
                "Write tests.",
            ),
            ("{% if gone is defined %}x{% else %}y{% endif %}", "y"),
            (
                "{% for key in standards %}{{ key }}{% if not loop.last %}, {% endif %}{% endfor %}",
                "name, text",
            ),
            (
                "{# a \"note\" ~ with {{ anything }} #}{ \"json\": {\"a\": 1} } 50% {",
                "{ \"json\": {\"a\": 1} } 50% {",
            ),
        ] {
            assert_eq!(filled(source).as_deref(), Ok(wanted), "{source}");
        }
    }

    /// Each of these would fill the machine's memory, or lead to what does.
    #[test]
    fn what_makes_values_out_of_values_is_refused_before_it_is_tried() {
        let doubled = "{% set a = schema %}{% for i in range(60) %}{% set a = a ~ a %}{% endfor %}{{ a }}";
        for (source, named) in [
            (doubled, "`set` is not taken"),
            ("{{ schema ~ schema }}", "`~` is not taken"),
            ("{{ 'x' * 1000000000 }}", "`'` is not taken"),
            ("{{ schema * 1000000000 }}", "`*` is not taken"),
            ("{{ schema | replace }}", "`|` is not taken"),
            ("{{ range(1000000000) }}", "`(` is not taken"),
            ("{% for i in range(1000) %}{% endfor %}", "`(` is not taken"),
            ("{% macro m(a) %}{{ m(a) }}{% endmacro %}", "`(` is not taken"),
            ("{% set a %}{{ schema }}{{ schema }}{% endset %}", "`set` is not taken"),
            ("{% raw %}{{ \" {% endraw %}{% set a = schema %}", "`raw` is not taken"),
            ("{%- filter upper -%}x{% endfilter %}", "`filter` is not taken"),
            ("{% include '/etc/passwd' %}", "`'` is not taken"),
            ("{% with a = schema %}{% endwith %}", "`with` is not taken"),
            ("{{ {'a': {'b': 1}}['a'] ~ schema }}", "`{` is not taken"),
            ("{{ schema[0] }}", "`[` is not taken"),
            ("{# }} #}{{ schema + schema }}", "`+` is not taken"),
        ] {
            let refused = filled(source).unwrap_err();
            assert!(refused.contains(named), "{source}: {refused}");
        }
    }

    #[test]
    fn the_line_of_what_fails_is_known() {
        let values = || context! { schema => "{}" };
        for (source, at) in [
            ("one\ntwo {{ gone }}\n", 2),
            ("one\n{{ schema }}\nthree {{ schema | upper }}\n", 3),
            ("{# one\n#}{% include 'x' %}", 2),
        ] {
            let error = fill("t", source, values(), 100).unwrap_err();
            assert_eq!(line(&error), Some(at), "{source}: {error}");
        }
    }

    #[test]
    fn what_reads_or_never_ends_is_named() {
        for (source, named) in [
            ("{{ environment.HOME }}", "undefined value"),
            ("{% if %}", "syntax error"),
            ("{{ schema", "syntax error"),
        ] {
            let refused = filled(source).unwrap_err();
            assert!(refused.contains(named), "{source}: {refused}");
        }
    }

    #[test]
    fn loops_within_loops_run_out_of_fuel_or_of_room() {
        let nested = |depth: usize, text: &str| {
            let begin = "{% for a in standards %}".repeat(depth);
            format!("{begin}{text}{}", "{% endfor %}".repeat(depth))
        };
        let refused = filled(&nested(40, "")).unwrap_err();
        assert!(refused.contains("fuel"), "{refused}");
        let refused = filled(&nested(14, &"many words ".repeat(1000))).unwrap_err();
        assert!(refused.contains("it writes more than 1024 KiB"), "{refused}");
    }
}
