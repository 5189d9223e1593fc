//! For the tests: a reader of messages that shares no code with what writes them.

use chrono::{TimeZone, Utc};
use data_encoding::BASE64;

use super::{MailFailure, Mailer, MessageId, OutgoingMail, Reach, Refused};
use crate::workflow::act::Mail;
use crate::workflow::ids::Digest;

/// A plain mail to two people.
pub(super) fn outgoing(mailer: &Mailer, name: &str) -> OutgoingMail {
    OutgoingMail {
        message_id: mailer.message_id(name),
        in_reply_to: None,
        references: Vec::new(),
        mail: Mail {
            to: vec!["Team <team@example.org>".to_owned()],
            cc: vec!["boss@example.com".to_owned()],
            subject: "Three tasks".to_owned(),
            text: "Hello\n\n1. Write the runbook\n".to_owned(),
            html: "<p>Hello</p>\n".to_owned(),
        },
        date: Utc.with_ymd_and_hms(2026, 11, 20, 14, 10, 9).unwrap(),
    }
}

/// A mail that was sent.
#[derive(Debug, PartialEq)]
pub(super) struct Sent {
    pub message_id: MessageId,
    pub digest: Digest,
    pub refused: Vec<Refused>,
}

/// Writes a mail down and sends it.
pub(super) async fn post(mailer: &Mailer, mail: &OutgoingMail) -> Result<Sent, MailFailure> {
    let letter = mailer.write(mail)?;
    let refused = mailer.send(&letter, Reach::Everybody).await?;
    Ok(Sent {
        message_id: letter.message_id().clone(),
        digest: letter.digest(),
        refused,
    })
}

/// A message taken apart.
pub(super) struct Eml {
    headers: Vec<(String, String)>,
    /// Content type and decoded text of each part.
    pub parts: Vec<(String, String)>,
}

impl Eml {
    pub fn parse(raw: &[u8]) -> Self {
        let text = std::str::from_utf8(raw).unwrap();
        assert!(text.is_ascii(), "a message is ASCII on its way");
        assert!(
            !text.replace("\r\n", "").contains(['\r', '\n']),
            "every line ends with CRLF"
        );
        assert!(text.split("\r\n").all(|line| line.len() <= 998), "RFC 5322, 2.1.1");
        let (headers, body) = headers(text);
        let kind = value(&headers, "Content-Type").to_owned();
        let boundary = kind.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
        let delimiter = format!("--{boundary}");
        let mut pieces = body.split(&delimiter).skip(1);
        let mut parts = Vec::new();
        for piece in pieces.by_ref() {
            if let Some(end) = piece.strip_prefix("--") {
                assert_eq!(end.trim(), "");
                break;
            }
            let piece = piece.strip_prefix("\r\n").unwrap().strip_suffix("\r\n").unwrap();
            let (headers, body) = self::headers(piece);
            let decoded = decode(value(&headers, "Content-Transfer-Encoding"), body);
            parts.push((value(&headers, "Content-Type").to_owned(), decoded));
        }
        assert_eq!(pieces.next(), None);
        Self { headers, parts }
    }

    /// The decoded value of a header that stands exactly once.
    pub fn header(&self, name: &str) -> &str {
        value(&self.headers, name)
    }

    pub fn names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_str()).collect()
    }
}

fn value<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    let found: Vec<_> = headers
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .collect();
    assert_eq!(found.len(), 1, "{name} in {headers:?}");
    &found[0].1
}

fn headers(text: &str) -> (Vec<(String, String)>, &str) {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let headers = unfolded
        .split("\r\n")
        .map(|line| {
            let (name, value) = line
                .split_once(": ")
                .unwrap_or_else(|| panic!("not a header: {line:?}"));
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{name:?}");
            (name.to_owned(), words(value))
        })
        .collect();
    (headers, body)
}

/// RFC 2047: encoded words, with the white space between two of them dropped.
fn words(value: &str) -> String {
    let mut text = String::new();
    let mut bytes = Vec::new();
    for (index, word) in value.split(' ').enumerate() {
        let encoded = word.strip_prefix("=?utf-8?b?").and_then(|rest| rest.strip_suffix("?="));
        match encoded {
            Some(encoded) => {
                assert!(word.len() <= 75, "RFC 2047, 2: {word}");
                if bytes.is_empty() && index > 0 {
                    text.push(' ');
                }
                bytes.extend(BASE64.decode(encoded.as_bytes()).unwrap());
            }
            None => {
                text.push_str(&String::from_utf8(std::mem::take(&mut bytes)).unwrap());
                if index > 0 {
                    text.push(' ');
                }
                text.push_str(word);
            }
        }
    }
    text + &String::from_utf8(bytes).unwrap()
}

fn decode(encoding: &str, body: &str) -> String {
    match encoding {
        "7bit" => body.to_owned(),
        "base64" => String::from_utf8(BASE64.decode(body.replace("\r\n", "").as_bytes()).unwrap()).unwrap(),
        "quoted-printable" => {
            let joined = body.replace("=\r\n", "");
            let mut bytes = Vec::new();
            let mut rest = joined.as_bytes();
            while let [first, tail @ ..] = rest {
                if *first == b'=' {
                    let hex = std::str::from_utf8(&tail[..2]).unwrap();
                    bytes.push(u8::from_str_radix(hex, 16).unwrap());
                    rest = &tail[2..];
                } else {
                    bytes.push(*first);
                    rest = tail;
                }
            }
            String::from_utf8(bytes).unwrap()
        }
        other => panic!("encoding {other}"),
    }
}
