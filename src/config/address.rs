//! Mail addresses with an optional display name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is wrong with a mail address, as the end of a sentence that names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AddressMistake(String);

/// `name@host` or `Display Name <name@host>`, on one line. The host is kept in ASCII (an internationalised one in its
/// `xn--` form), so that only an address whose local part is not ASCII needs a server with SMTPUTF8 (RFC 6531).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mailbox {
    name: Option<String>,
    local: String,
    host: String,
}

impl Mailbox {
    /// The display name, without quotes.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What stands after the `@`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// `name@host`, without the display name.
    pub fn address(&self) -> String {
        format!("{}@{}", self.local, self.host)
    }
}

impl std::str::FromStr for Mailbox {
    type Err = AddressMistake;

    fn from_str(text: &str) -> Result<Self, AddressMistake> {
        let fail = |why: &str| Err(AddressMistake(why.to_owned()));
        // Before anything is trimmed: a line break in an address is never an accident of layout.
        if text.chars().any(is_line_or_control) {
            return fail("holds a line break or a control character; write it on one line");
        }
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>') {
            Some(inner) => match inner.rsplit_once('<') {
                Some((name, address)) => (unquoted(name.trim()), address.trim()),
                None => return fail("has > without <; write Name <name@host>"),
            },
            None => (None, text),
        };
        let Some((local, host)) = address.rsplit_once('@') else {
            return fail("has no @; write name@host or Name <name@host>");
        };
        if address.contains([',', ';']) && !local.starts_with('"') {
            return fail("holds more than one address; write each as an item of its own");
        }
        if !email_address::EmailAddress::is_valid_local_part(local) {
            return fail("is not a mail address: what stands before the @ is not allowed there");
        }
        let host = ascii_host(host)
            .ok_or_else(|| AddressMistake("is not a mail address: what stands after the @ is no host name".into()))?;
        Ok(Self {
            name,
            local: local.to_owned(),
            host,
        })
    }
}

/// Control characters, and the two separators that some readers take for a line's end.
fn is_line_or_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

fn unquoted(name: &str) -> Option<String> {
    let name = match name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => name.to_owned(),
    };
    Some(name).filter(|name| !name.is_empty())
}

fn ascii_host(host: &str) -> Option<String> {
    if host.is_ascii() {
        return email_address::EmailAddress::is_valid_domain(host).then(|| host.to_owned());
    }
    match url::Host::parse(host).ok()? {
        url::Host::Domain(ascii) => email_address::EmailAddress::is_valid_domain(&ascii).then_some(ascii),
        url::Host::Ipv4(_) | url::Host::Ipv6(_) => None,
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) if name.chars().all(|c| c.is_alphanumeric() || c == ' ') => {
                write!(f, "{name} <{}@{}>", self.local, self.host)
            }
            Some(name) => {
                let name = name.replace('\\', "\\\\").replace('"', "\\\"");
                write!(f, "\"{name}\" <{}@{}>", self.local, self.host)
            }
            None => write!(f, "{}@{}", self.local, self.host),
        }
    }
}

impl TryFrom<String> for Mailbox {
    type Error = AddressMistake;

    fn try_from(text: String) -> Result<Self, AddressMistake> {
        text.parse()
    }
}

impl From<Mailbox> for String {
    fn from(mailbox: Mailbox) -> Self {
        mailbox.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_addresses_come_back_as_they_are_written() {
        for (text, name, address) in [
            ("team@example.org", None, "team@example.org"),
            ("Team <team@example.org>", Some("Team"), "team@example.org"),
            ("  Team   <team@example.org> ", Some("Team"), "team@example.org"),
            (
                "\"Team, Core\" <team@example.org>",
                Some("Team, Core"),
                "team@example.org",
            ),
            ("<team@example.org>", None, "team@example.org"),
            ("countersign@localhost", None, "countersign@localhost"),
            (
                "Björn Ødegård <b.o+x@example.org>",
                Some("Björn Ødegård"),
                "b.o+x@example.org",
            ),
            ("post@bücher.example", None, "post@xn--bcher-kva.example"),
            ("\"odd, but legal\"@example.org", None, "\"odd, but legal\"@example.org"),
        ] {
            let mailbox: Mailbox = text.parse().unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
            assert_eq!(mailbox.name(), name, "{text}");
            assert_eq!(mailbox.address(), address, "{text}");
            assert_eq!(
                mailbox.to_string().parse::<Mailbox>().as_ref(),
                Ok(&mailbox),
                "{text} shown as {mailbox}"
            );
        }
    }

    #[test]
    fn bad_addresses_each_say_why() {
        for (text, wanted) in [
            ("", "has no @"),
            ("team", "has no @"),
            ("team@", "after the @"),
            ("@example.org", "before the @"),
            ("team@exa mple.org", "after the @"),
            ("te am@example.org", "before the @"),
            ("team@example.org>", "without <"),
            ("a@example.org, b@example.org", "more than one"),
            ("a@example.org; b@example.org", "more than one"),
            ("team@example.org\r\nBcc: all@example.org", "line break"),
            ("Team\r\nBcc: all@example.org <team@example.org>", "line break"),
            ("team@example.org\n", "line break"),
            ("Team\u{2028}x <team@example.org>", "line break"),
            ("team@example.org\0", "control character"),
        ] {
            let mistake = text.parse::<Mailbox>().unwrap_err().to_string();
            assert!(mistake.contains(wanted), "{text:?}: {mistake}");
        }
    }
}
