//! A mail as its reader sees it, and how one is read out of an `.eml` file.

use data_encoding::{BASE64, Encoding, Specification};
use serde::Serialize;

/// A mail in the mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// Addresses, with names where they have some.
    pub to: Vec<String>,
    /// Addresses, with names where they have some.
    pub cc: Vec<String>,
    /// One line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part; empty when there is none.
    pub html: String,
    /// All headers in their order, unfolded and decoded.
    pub headers: Vec<(String, String)>,
}

impl Mail {
    /// Reads a message (RFC 5322, 2045, 2047): its text part, its HTML part, its headers. What cannot be decoded is left
    /// as it is, for the eye of the reader.
    pub fn from_eml(raw: &str) -> Self {
        let (raw_headers, body) = split(raw);
        let mut mail = Self {
            headers: raw_headers
                .iter()
                .map(|(name, value)| (name.clone(), words(value)))
                .collect(),
            ..Self::default()
        };
        mail.to = addresses(mail.header("To").unwrap_or_default());
        mail.cc = addresses(mail.header("Cc").unwrap_or_default());
        mail.subject = mail.header("Subject").unwrap_or_default().to_owned();
        mail.take_part(&raw_headers, &body, 0);
        mail
    }

    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        value(&self.headers, name)
    }

    fn take_part(&mut self, headers: &[(String, String)], body: &str, depth: usize) {
        let kind = value(headers, "Content-Type").unwrap_or("text/plain");
        let lower = kind.to_ascii_lowercase();
        if lower.starts_with("multipart/") {
            // A message of ours is one level deep; the bound keeps a made-up one from going on for ever.
            if let Some(boundary) = boundary(kind).filter(|_| depth < 5) {
                for part in parts(body, &boundary) {
                    let (headers, body) = split(&part);
                    self.take_part(&headers, &body, depth + 1);
                }
            }
            return;
        }
        let text = decoded(value(headers, "Content-Transfer-Encoding").unwrap_or_default(), body);
        let field = if lower.starts_with("text/html") {
            &mut self.html
        } else {
            &mut self.text
        };
        if field.is_empty() {
            *field = text.replace("\r\n", "\n");
        }
    }
}

fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// Headers, unfolded, and what follows the empty line.
fn split(raw: &str) -> (Vec<(String, String)>, String) {
    let raw = raw.replace("\r\n", "\n");
    let (head, body) = match raw.strip_prefix('\n') {
        Some(body) => ("", body),
        None => raw.split_once("\n\n").unwrap_or((raw.as_str(), "")),
    };
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    (headers, body.to_owned())
}

fn boundary(kind: &str) -> Option<String> {
    kind.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let found = name.trim().eq_ignore_ascii_case("boundary");
        found.then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn parts(body: &str, boundary: &str) -> Vec<String> {
    let (open, close) = (format!("--{boundary}"), format!("--{boundary}--"));
    let mut parts: Vec<String> = Vec::new();
    let mut inside = false;
    for line in body.lines() {
        let bare = line.trim_end();
        if bare == close {
            break;
        }
        if bare == open {
            inside = true;
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut().filter(|_| inside) {
            part.push_str(line);
            part.push('\n');
        }
    }
    parts
}

fn decoded(encoding: &str, body: &str) -> String {
    let bytes = match encoding.trim().to_ascii_lowercase().as_str() {
        "base64" => base64(body),
        "quoted-printable" => Some(quoted_printable(body, QuotedPrintable::Body)),
        _ => None,
    };
    bytes.map_or_else(|| body.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut lenient = Specification::new();
    lenient
        .symbols
        .push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    lenient.padding = Some('=');
    lenient.ignore.push_str(" \t\r\n");
    let encoding: Encoding = lenient.encoding().unwrap_or(BASE64);
    encoding.decode(text.as_bytes()).ok()
}

/// Where quoted-printable text stands: in a header `_` is a space (RFC 2047, 4.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum QuotedPrintable {
    Body,
    Header,
}

fn quoted_printable(text: &str, place: QuotedPrintable) -> Vec<u8> {
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], byte) {
            (b'=', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            // A soft line break.
            (b'=', None) if bytes.get(at + 1) == Some(&b'\n') => at += 2,
            (b'_', _) if place == QuotedPrintable::Header => {
                out.push(b' ');
                at += 1;
            }
            (other, _) => {
                out.push(other);
                at += 1;
            }
        }
    }
    out
}

/// A header's value with its encoded words read. White space between two of them does not count (RFC 2047, 6.2).
fn words(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    let mut after_word = false;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        let Some((text, length)) = word(from) else {
            out.push_str(before);
            out.push_str("=?");
            rest = &from[2..];
            after_word = false;
            continue;
        };
        if !(after_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        out.push_str(&text);
        rest = &from[length..];
        after_word = true;
    }
    out.push_str(rest);
    out
}

/// `=?utf-8?b?…?=` at the beginning of a text, read, with its length.
fn word(text: &str) -> Option<(String, usize)> {
    let mut fields = text.strip_prefix("=?")?.splitn(3, '?');
    let (charset, encoding, rest) = (fields.next()?, fields.next()?, fields.next()?);
    let (payload, _) = rest.split_once("?=")?;
    let bytes = match encoding.to_ascii_lowercase().as_str() {
        "b" => base64(payload)?,
        "q" => quoted_printable(payload, QuotedPrintable::Header),
        _ => return None,
    };
    let length = "=?".len() + charset.len() + 1 + encoding.len() + 1 + payload.len() + "?=".len();
    Some((String::from_utf8_lossy(&bytes).into_owned(), length))
}

/// A list of addresses, parted at commas outside quotation marks.
fn addresses(value: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    for c in value.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(String::new()),
            c => {
                if let Some(last) = out.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    let trimmed = out.iter().map(|address| address.trim().to_owned());
    trimmed.filter(|address| !address.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EML: &str = "From: Countersign <countersign@localhost>\r\n\
        To: \"Release, team\" <releases@example.org>, stakeholder@example.org\r\n\
        Subject: =?utf-8?b?WsO8cmljaA==?=\r\n =?utf-8?q?_=E2=80=94_go?= live\r\n\
        In-Reply-To: <w1.1@localhost>\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/alternative;\r\n boundary=\"b1\"\r\n\
        \r\n\
        --b1\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\
        \r\n\
        A long line that is =\r\n\
        broken, 2 =3D 2 =E2=9C=93\r\n\
        --b1\r\n\
        Content-Type: text/html; charset=utf-8\r\n\
        Content-Transfer-Encoding: base64\r\n\
        \r\n\
        PHA+SGVs\r\n\
        bG88L3A+\r\n\
        --b1--\r\n";

    #[test]
    fn a_message_is_read_as_its_reader_sees_it() {
        let mail = Mail::from_eml(EML);
        assert_eq!(
            mail.to,
            ["Release, team <releases@example.org>", "stakeholder@example.org"]
        );
        assert_eq!(mail.subject, "Zürich — go live");
        assert_eq!(mail.text, "A long line that is broken, 2 = 2 ✓\n");
        assert_eq!(mail.html, "<p>Hello</p>");
        assert_eq!(mail.header("in-reply-to"), Some("<w1.1@localhost>"));
    }

    #[test]
    fn what_is_no_encoded_word_is_left_alone() {
        assert_eq!(words("a =? b =?utf-8?x?y?= c"), "a =? b =?utf-8?x?y?= c");
    }
}
