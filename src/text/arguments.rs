//! Splits a text into positional and named arguments, much as a shell does.

/// Why a text cannot be split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsplit {
    /// A quoted value has no end.
    UnclosedQuote(char),
    /// `"a"b`
    TextAfterQuote(String),
    /// `a=1 a=2`; the name in lower case.
    DuplicateName(String),
    /// `a=1, 2`: the rest of an unquoted list would be lost. What stands before the space, as typed.
    UnquotedList(String),
}

/// One argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument<'t> {
    /// A word, or a quoted text.
    Positional {
        /// Without its quotes.
        value: String,
        /// As it stands in the line.
        raw: &'t str,
    },
    /// `key=value`
    Named {
        /// In lower case.
        key: String,
        /// Without its quotes.
        value: String,
    },
}

/// Splits a text, such as the rest of a command's line.
///
/// A value may be quoted with `"…"` (in which `\"`, `\\` and `\n` are a quote, a backslash and a line break), `'…'` or
/// typographic quotes, which telephones put in unasked. A quote within a word (`don't`, `5"`) is a letter.
///
/// # Errors
/// An unclosed quote, text right after a closing one, a key given twice, an unquoted list with spaces.
pub fn split(rest: &str) -> Result<Vec<Argument<'_>>, Unsplit> {
    let mut arguments: Vec<Argument<'_>> = Vec::new();
    let mut tail = rest.trim_start();
    while !tail.is_empty() {
        let key = key_of(tail);
        let at_value = key.map_or(tail, |key| &tail[key.len() + 1..]);
        let (value, length) = value(at_value)?;
        let raw = &tail[..tail.len() - at_value.len() + length];
        match key {
            Some(key) => {
                let key = key.to_ascii_lowercase();
                let is_same = |argument: &Argument<'_>| matches!(argument, Argument::Named { key: k, .. } if *k == key);
                if arguments.iter().any(is_same) {
                    return Err(Unsplit::DuplicateName(key));
                }
                // `depends=t1, t3` would otherwise lose its second half.
                if raw.ends_with([',', ';']) {
                    return Err(Unsplit::UnquotedList(raw.to_owned()));
                }
                arguments.push(Argument::Named { key, value });
            }
            None => arguments.push(Argument::Positional { value, raw }),
        }
        tail = tail[raw.len()..].trim_start();
    }
    Ok(arguments)
}

/// The key if the text begins with `key=`.
fn key_of(text: &str) -> Option<&str> {
    let key = &text[..text.find('=')?];
    let mut letters = key.chars();
    let begins = letters.next().is_some_and(|first| first.is_ascii_alphabetic());
    (begins && letters.all(|next| next.is_ascii_alphanumeric() || next == '_' || next == '-')).then_some(key)
}

/// The value at the beginning of the text, and how many bytes it takes with its quotes.
fn value(text: &str) -> Result<(String, usize), Unsplit> {
    let Some(quote) = text.chars().next().and_then(Quote::opened_by) else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return Ok((text[..end].to_owned(), end));
    };
    let opening = quote.opening.len_utf8();
    let (value, inside) = quote.content(&text[opening..])?;
    let length = opening + inside;
    if text[length..].chars().next().is_some_and(|next| !next.is_whitespace()) {
        return Err(Unsplit::TextAfterQuote(value));
    }
    Ok((value, length))
}

struct Quote {
    opening: char,
    closing: &'static [char],
    /// Whether the closing quote doubles as an apostrophe.
    apostrophe: bool,
    escapes: bool,
}

impl Quote {
    fn opened_by(opening: char) -> Option<Self> {
        let (closing, apostrophe): (&'static [char], bool) = match opening {
            '"' => (&['"'], false),
            '\'' => (&['\''], true),
            '“' | '”' | '„' | '‟' | '«' | '»' => (&['“', '”', '‟', '«', '»'], false),
            '‘' | '’' | '‚' | '‛' => (&['‘', '’', '‛'], true),
            _ => return None,
        };
        Some(Self {
            opening,
            closing,
            apostrophe,
            escapes: opening == '"',
        })
    }

    /// What stands before the closing quote, and the bytes up to and with it.
    fn content(&self, text: &str) -> Result<(String, usize), Unsplit> {
        let mut value = String::new();
        let mut characters = text.char_indices().peekable();
        while let Some((at, c)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            let within_word = self.apostrophe && next.is_some_and(char::is_alphanumeric);
            if self.closing.contains(&c) && !within_word {
                return Ok((value, at + c.len_utf8()));
            }
            let escape = match next {
                Some('n') => Some('\n'),
                Some('"' | '\\') => next,
                _ => None,
            };
            match escape {
                Some(meant) if self.escapes && c == '\\' => {
                    value.push(meant);
                    characters.next();
                }
                _ => value.push(c),
            }
        }
        Err(Unsplit::UnclosedQuote(self.opening))
    }
}

/// Writes a value so that [`split`] reads it back.
pub fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '@' | ':');
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    format!(
        "\"{}\"",
        value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn word(value: &str) -> Argument<'_> {
        Argument::Positional {
            value: value.to_owned(),
            raw: value,
        }
    }

    fn named(key: &str, value: &str) -> Argument<'static> {
        Argument::Named {
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn words_and_named_values() {
        let arguments = split("t2  Title=\"Write it\" est=S").unwrap();
        assert_eq!(arguments, [word("t2"), named("title", "Write it"), named("est", "S")]);
    }

    #[test]
    fn every_kind_of_quote() {
        for line in [
            "a=\"x y\"",
            "a='x y'",
            "a=“x y”",
            "a=„x y“",
            "a=«x y»",
            "a=‘x y’",
            "a=”x y”",
        ] {
            assert_eq!(split(line).unwrap(), [named("a", "x y")], "{line}");
        }
    }

    #[test]
    fn escapes_only_in_double_quotes() {
        assert_eq!(split(r#"a="\"x\" \\ \n \d""#).unwrap(), [named("a", "\"x\" \\ \n \\d")]);
        assert_eq!(split(r"a='\n'").unwrap(), [named("a", "\\n")]);
    }

    #[test]
    fn apostrophes_and_inches_are_letters() {
        assert_eq!(
            split("don't 5\" a=it's").unwrap(),
            [word("don't"), word("5\""), named("a", "it's")]
        );
        assert_eq!(split("a='don't do it'").unwrap(), [named("a", "don't do it")]);
        assert_eq!(split("a=‘don’t do it’").unwrap(), [named("a", "don’t do it")]);
    }

    #[test]
    fn an_address_is_a_word() {
        assert_eq!(
            split("https://x.example/?a=b").unwrap(),
            [word("https://x.example/?a=b")]
        );
    }

    #[test]
    fn an_empty_value_is_a_value() {
        assert_eq!(
            split("labels= due=\"\"").unwrap(),
            [named("labels", ""), named("due", "")]
        );
    }

    #[test]
    fn what_cannot_be_split_is_named() {
        for (line, problem) in [
            ("title=\"Write it", Unsplit::UnclosedQuote('"')),
            ("title=“Write it", Unsplit::UnclosedQuote('“')),
            ("a=1 A=2", Unsplit::DuplicateName("a".to_owned())),
            ("a=\"x\"b=\"y\"", Unsplit::TextAfterQuote("x".to_owned())),
            ("depends=t1, t3", Unsplit::UnquotedList("depends=t1,".to_owned())),
        ] {
            assert_eq!(split(line), Err(problem), "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_split_or_refused(line in any::<String>()) {
            let _ = split(&line);
        }

        #[test]
        fn a_quoted_value_is_read_back(value in any::<String>()) {
            let line = format!("a={} b=1", quoted(&value));
            prop_assert_eq!(split(&line).unwrap(), vec![named("a", &value), named("b", "1")]);
        }
    }
}
