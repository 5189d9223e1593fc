//! What people change in a proposal before they approve it.

use serde::{Deserialize, Serialize};

/// One edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amendment {
    /// `/edit t2 title="…" due=2026-12-01`. The key is empty for an artifact with one part (the mail).
    Change {
        /// Which part.
        key: String,
        /// Field and new value, in the order they were written.
        fields: Vec<(String, String)>,
    },
    /// `/task title="…" assign=@x`.
    Add {
        /// Field and value.
        fields: Vec<(String, String)>,
        /// The login of who adds it.
        by: String,
    },
    /// A box was ticked or unticked.
    Select {
        /// Which part.
        key: String,
        /// Ticked.
        on: bool,
    },
    /// A fenced block with the whole artifact as JSON.
    Replace(String),
}

/// Reads `name=value name="a value" …`. A value in double quotes may hold `\"` and `\\`.
///
/// # Errors
/// A sentence that names the word which does not fit.
pub fn parse_fields(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut fields = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let name = &rest[..end];
        let Some(value) = rest[end..].strip_prefix('=').filter(|_| !name.is_empty()) else {
            return Err(format!(
                "`{name}` is not `name=value`; put a value with spaces in double quotes"
            ));
        };
        let (value, after) = match value.chars().next() {
            Some(open @ ('"' | '“' | '”')) => quoted(&value[open.len_utf8()..], open)
                .ok_or_else(|| format!("the value of `{name}` has an opening quote and no closing one"))?,
            _ => {
                let end = value.find(char::is_whitespace).unwrap_or(value.len());
                (value[..end].to_owned(), &value[end..])
            }
        };
        fields.push((name.to_lowercase(), value));
        rest = after.trim_start();
    }
    Ok(fields)
}

fn quoted(text: &str, open: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => match characters.next()? {
                (_, escaped @ ('"' | '\\')) => value.push(escaped),
                (_, other) => value.extend(['\\', other]),
            },
            // Phones turn straight quotes into curly ones.
            '"' if open == '"' => return Some((value, &text[at + 1..])),
            '“' | '”' if open != '"' => return Some((value, &text[at + c.len_utf8()..])),
            _ => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_people_type_them() {
        let read = |text| parse_fields(text).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read(""), []);
        assert_eq!(
            read("due=2026-12-01  est=S"),
            [pair("due", "2026-12-01"), pair("est", "S")]
        );
        assert_eq!(
            read("Title=\"Say \\\"hi\\\" \\n\" assign=@x"),
            [pair("title", "Say \"hi\" \\n"), pair("assign", "@x")]
        );
        assert_eq!(
            read("title=“curly one” est=S"),
            [pair("title", "curly one"), pair("est", "S")]
        );
        assert_eq!(read("assign="), [pair("assign", "")]);
        assert_eq!(read("body=\"a\nb\""), [pair("body", "a\nb")]);
    }

    #[test]
    fn what_is_no_field_is_named() {
        assert!(parse_fields("title=\"x\" rest of it").unwrap_err().contains("`rest`"));
        assert!(parse_fields("=x").unwrap_err().contains("name=value"));
        assert!(parse_fields("title=\"x").unwrap_err().contains("closing"));
    }
}
