//! Names of sites in mails.
//!
//! GitHub links an address only with its scheme or `www.`; programs that show mail link bare names as well. What could
//! be one is parted in the way that people who write about bad addresses do it: `example[.]com`.

/// Endings that mail programs take for a site's. Endings that files have as well (`.rs`, `.md`) are not among them.
const ENDINGS: &[&str] = &[
    "com", "net", "org", "io", "dev", "xyz", "info", "biz", "co", "ru", "cn", "top", "online", "click", "ai", "eu",
    "de", "uk", "fr", "example", "test",
];

/// The text with bare names of sites parted. Mail addresses stay as they are: they are looked for elsewhere.
pub fn parted(text: &str) -> String {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '@');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word = &rest[..rest.find(|c| !part(c)).unwrap_or(rest.len())];
        let name = word.trim_end_matches('.');
        match name.rsplit_once('.') {
            Some((site, ending))
                if !site.is_empty()
                    && !name.contains('@')
                    && ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)) =>
            {
                out.push_str(site);
                out.push_str("[.]");
                out.push_str(ending);
                out.push_str(&word[name.len()..]);
            }
            _ => out.push_str(word),
        }
        rest = &rest[word.len()..];
        if let Some(c) = rest.chars().next() {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::parted;

    #[test]
    fn names_of_sites_are_parted_and_files_are_not() {
        for (raw, safe) in [
            ("go to evil.com/login.", "go to evil[.]com/login."),
            ("A.B.EVIL.COM.", "A.B.EVIL[.]COM."),
            (
                "main.rs, README.md, 1.2.3, e.g. this",
                "main.rs, README.md, 1.2.3, e.g. this",
            ),
            ("a@b.com and .com", "a@b.com and .com"),
            ("é.com", "é[.]com"),
        ] {
            assert_eq!(parted(raw), safe);
            assert_eq!(parted(safe), safe);
        }
    }
}
