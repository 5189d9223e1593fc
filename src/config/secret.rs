//! Secrets, in types that cannot be printed by accident, and the checks that they are worth their name.

use std::fmt;

use url::Url;

/// The least length of a webhook secret, in characters after trimming.
pub(super) const SECRET_CHARACTERS: usize = 32;

macro_rules! secret {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The secret itself. Whoever calls this must neither log nor store the answer.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(not shown)"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("(not shown)")
            }
        }
    )+};
}

secret! {
    /// A secret that GitHub signs deliveries with, at least 32 characters long.
    WebhookSecret,
    /// The App's private key: PEM, PKCS#1 or PKCS#8, unencrypted.
    PrivateKey,
    /// The password of a mail server's account.
    MailPassword,
    /// The key of a model endpoint.
    ApiKey,
}

/// An address that is a secret: who knows it can write there.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(Url);

impl SecretUrl {
    pub(super) fn new(url: Url) -> Self {
        Self(url)
    }

    /// The address itself. Whoever calls this must neither log nor store the answer.
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretUrl(not shown)")
    }
}

/// What notifications are signed with, by Standard Webhooks: 24 to 64 bytes, written as `whsec_` and Base64
/// (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme>).
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(Vec<u8>);

impl SigningSecret {
    /// Takes a secret without the white space around it.
    ///
    /// # Errors
    /// The end of a sentence that says what it must be. It never holds the secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let secret = text.trim().strip_prefix("whsec_").map(str::as_bytes);
        let secret = secret.and_then(|secret| data_encoding::BASE64.decode(secret).ok());
        match secret.filter(|secret| (24..=64).contains(&secret.len())) {
            Some(secret) => Ok(Self(secret)),
            None => Err(
                "is not whsec_ and Base64 of 24 to 64 bytes; make one (echo \"whsec_$(openssl rand -base64 32)\"), and give the \
                 receiver the same"
                    .to_owned(),
            ),
        }
    }

    /// The secret itself. Whoever calls this must neither log nor store the answer.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(not shown)")
    }
}

/// The App's number, as its settings page shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppId(pub u64);

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for AppId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match text.parse() {
            Ok(number) if number > 0 => Ok(Self(number)),
            _ if text.starts_with("Iv") => {
                Err("is the App's client ID; use the number that its settings page calls App ID".to_owned())
            }
            _ => Err("is not a number; use the App ID from the App's settings page".to_owned()),
        }
    }
}

impl WebhookSecret {
    /// Takes a secret without the white space around it (a file's last line break is not part of it).
    ///
    /// # Errors
    /// When it is blank or shorter than 32 characters. The sentence never holds the secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let secret = text.trim();
        let length = secret.chars().count();
        match length {
            0 => Err(format!(
                "is blank; set at least {SECRET_CHARACTERS} random characters (openssl rand -hex 32), the same as in the App's settings"
            )),
            short if short < SECRET_CHARACTERS => Err(format!(
                "has {short} characters; it needs at least {SECRET_CHARACTERS} (openssl rand -hex 32), the same as in the App's settings"
            )),
            _ => Ok(Self(secret.to_owned())),
        }
    }
}

impl ApiKey {
    /// Takes a key without the white space around it; `None` when that leaves nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let key = text.trim();
        (!key.is_empty()).then(|| Self(key.to_owned()))
    }
}

impl MailPassword {
    pub(super) fn new(password: String) -> Self {
        Self(password)
    }
}

impl PrivateKey {
    /// Checks the frame (RFC 7468), the Base64 inside and that a DER sequence begins there. Whether it is an RSA key
    /// that signs is for the one who signs to say ([`super::KeyCheck`]).
    ///
    /// A key in one line with `\n` written out, as environment files carry it, is unfolded.
    ///
    /// # Errors
    /// What is wrong with it. The sentence never holds any of the key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("is blank; paste the .pem file that GitHub made for the App".to_owned());
        }
        let text = if text.contains('\n') {
            text.replace('\r', "")
        } else {
            text.replace("\\r", "").replace("\\n", "\n")
        };
        let mut lines = text.trim().lines().map(str::trim);
        let label = lines
            .next()
            .and_then(|line| line.strip_prefix("-----BEGIN ")?.strip_suffix("-----"))
            .ok_or("is not PEM: its first line is not -----BEGIN RSA PRIVATE KEY-----; use the .pem file that GitHub made for the App")?;
        match label {
            "RSA PRIVATE KEY" | "PRIVATE KEY" => {}
            "ENCRYPTED PRIVATE KEY" => {
                return Err("is encrypted; store it without a passphrase (openssl rsa -in KEY -out PLAIN)".to_owned());
            }
            "OPENSSH PRIVATE KEY" | "EC PRIVATE KEY" => {
                return Err(format!(
                    "holds a {label}; GitHub Apps sign with RSA: use the .pem file that GitHub made for the App"
                ));
            }
            _ => {
                return Err(
                    "holds no private key; use the .pem file that GitHub made for the App, not its public half"
                        .to_owned(),
                );
            }
        }
        let end = format!("-----END {label}-----");
        let mut body = String::new();
        let mut ended = false;
        for line in lines.by_ref() {
            if line == end {
                ended = true;
                break;
            }
            body.push_str(line);
        }
        if !ended {
            return Err(format!("ends without {end}; it was cut off when it was copied"));
        }
        if lines.any(|line| !line.is_empty()) {
            return Err("goes on after its last line; it must hold one key and nothing else".to_owned());
        }
        let der = data_encoding::BASE64
            .decode(body.as_bytes())
            .map_err(|_| "is damaged: what stands between its first and last line is not Base64; copy it again")?;
        // DER: both PKCS#1 and PKCS#8 are one SEQUENCE.
        if der.first() != Some(&0x30) {
            return Err("is damaged: no key begins after its first line; copy it again".to_owned());
        }
        Ok(Self(format!("{}\n", text.trim())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu";

    fn pem(label: &str) -> String {
        format!("-----BEGIN {label}-----\n{BODY}\n-----END {label}-----\n")
    }

    #[test]
    fn secrets_never_print() {
        let secret = WebhookSecret::parse(&"s".repeat(32)).unwrap();
        let key = PrivateKey::parse(&pem("PRIVATE KEY")).unwrap();
        let password = MailPassword::new("hunter2".into());
        let printed = format!("{secret} {secret:?} {key} {key:?} {password} {password:?}");
        assert!(
            !printed.contains("sss") && !printed.contains("MIIB") && !printed.contains("hunter2"),
            "{printed}"
        );
        assert_eq!(secret.expose().len(), 32);
    }

    #[test]
    fn a_signing_secret_is_24_to_64_bytes_and_is_not_repeated() {
        let encoded = |bytes: usize| format!("whsec_{}", data_encoding::BASE64.encode(&vec![7; bytes]));
        for (text, taken) in [
            (encoded(24), true),
            (format!(" {}\n", encoded(64)), true),
            (encoded(23), false),
            (encoded(65), false),
            (encoded(24)["whsec_".len()..].to_owned(), false),
            ("whsec_hunter2".to_owned(), false),
            (String::new(), false),
        ] {
            match SigningSecret::parse(&text) {
                Ok(secret) => assert!(taken && !format!("{secret:?}").contains('7'), "{text}"),
                Err(sentence) => assert!(
                    !taken && !sentence.contains("hunter2") && !sentence.contains("BwcH"),
                    "{text}"
                ),
            }
        }
    }

    #[test]
    fn webhook_secret_needs_32_characters_after_trimming() {
        let table = [
            ("", "is blank"),
            (" \t\n", "is blank"),
            ("12345678901234567890123456789012", ""),
            ("\n12345678901234567890123456789012\n", ""),
            ("1234567890123456789012345678901", "has 31 characters"),
            ("  1234567890123456789012345678901  ", "has 31 characters"),
            ("ééééééééééééééééééééééééééééééé", "has 31 characters"),
            ("éééééééééééééééééééééééééééééééé", ""),
        ];
        for (text, wanted) in table {
            match WebhookSecret::parse(text) {
                Ok(secret) => {
                    assert_eq!(wanted, "", "{text:?}");
                    assert_eq!(secret.expose(), text.trim());
                }
                Err(sentence) => {
                    assert!(
                        !wanted.is_empty() && sentence.starts_with(wanted),
                        "{text:?}: {sentence}"
                    );
                    assert!(text.trim().is_empty() || !sentence.contains(text.trim()));
                }
            }
        }
    }

    #[test]
    fn private_key_frames() {
        for label in ["RSA PRIVATE KEY", "PRIVATE KEY"] {
            let plain = pem(label);
            let key = PrivateKey::parse(&plain).unwrap();
            assert_eq!(key.expose(), plain);
            assert_eq!(PrivateKey::parse(&plain.replace('\n', "\r\n")).unwrap(), key);
            assert_eq!(PrivateKey::parse(&plain.replace('\n', "\\n")).unwrap(), key);
            assert_eq!(PrivateKey::parse(&format!("\n {plain}\n\n")).unwrap(), key);
        }
    }

    #[test]
    fn broken_private_keys_each_say_why() {
        let good = pem("PRIVATE KEY");
        let table = [
            ("  ".to_owned(), "is blank"),
            ("secret".to_owned(), "is not PEM"),
            (BODY.to_owned(), "is not PEM"),
            (pem("ENCRYPTED PRIVATE KEY"), "is encrypted"),
            (pem("OPENSSH PRIVATE KEY"), "GitHub Apps sign with RSA"),
            (pem("PUBLIC KEY"), "holds no private key"),
            (good.replace("-----END PRIVATE KEY-----", ""), "was cut off"),
            (good.replace("END PRIVATE", "END RSA PRIVATE"), "was cut off"),
            (good.replace("MIIB", "MI*B"), "is not Base64"),
            (good.replace("MIIB", "AAAA"), "no key begins"),
            (good.replace(BODY, ""), "no key begins"),
            (format!("{good}{good}"), "goes on after"),
        ];
        for (text, wanted) in table {
            let sentence = PrivateKey::parse(&text).unwrap_err();
            assert!(sentence.contains(wanted), "{text}: {sentence}");
            assert!(!sentence.contains("MIIB"));
        }
    }

    #[test]
    fn app_id_is_a_number() {
        assert_eq!(" 12345\n".parse(), Ok(AppId(12345)));
        for (text, wanted) in [
            ("Iv23liABC", "client ID"),
            ("0", "not a number"),
            ("-1", "not a number"),
            ("my-app", "not a number"),
        ] {
            let sentence = text.parse::<AppId>().unwrap_err();
            assert!(sentence.contains(wanted), "{text}: {sentence}");
        }
    }
}
