//! Who sent this? HMAC-SHA256 over the raw bytes, as GitHub signs them
//! (<https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries>).

use std::fmt;

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The header that bears the signature. Its SHA-1 forerunner is not looked at.
pub const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// Which secret signed a delivery: tells when the old one is no longer used and can be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretName {
    /// `COUNTERSIGN_WEBHOOK_SECRET`.
    Current,
    /// `COUNTERSIGN_WEBHOOK_SECRET_PREVIOUS`, while a rotation lasts.
    Previous,
}

impl SecretName {
    /// The setting that holds it.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Current => "COUNTERSIGN_WEBHOOK_SECRET",
            Self::Previous => "COUNTERSIGN_WEBHOOK_SECRET_PREVIOUS",
        }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "current",
            Self::Previous => "previous",
        })
    }
}

/// Why a secret is not used. The secret itself is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakSecret {
    /// Nothing but white space: with it everybody could sign.
    #[error("{} is blank: set it to the webhook secret of the GitHub App, at least {MIN_CHARACTERS} characters", .0.setting())]
    Blank(SecretName),
    /// It could be guessed.
    #[error(
        "{} has {characters} characters and needs at least {MIN_CHARACTERS}: make one with `openssl rand -hex 32` and \
         set it here and in the GitHub App",
        .name.setting()
    )]
    Short {
        /// Which one.
        name: SecretName,
        /// How many it has.
        characters: usize,
    },
}

/// Characters that a secret has at least, white space around it not counted.
pub const MIN_CHARACTERS: usize = 32;

/// The signature does not hold. Deliberately without a reason: forged, missing and malformed look alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not hold")]
pub struct Refused;

/// The webhook secrets. White space around them is dropped, as files and shells add it.
#[derive(Clone)]
pub struct Secrets {
    current: String,
    previous: Option<String>,
}

impl Secrets {
    /// The secret in use and, while a rotation lasts, the one before it.
    ///
    /// # Errors
    /// For every secret that is blank or short, not for the first alone.
    pub fn new(current: &str, previous: Option<&str>) -> Result<Self, Vec<WeakSecret>> {
        let previous = previous.map(|secret| strong(SecretName::Previous, secret)).transpose();
        match (strong(SecretName::Current, current), previous) {
            (Ok(current), Ok(previous)) => Ok(Self { current, previous }),
            (current, previous) => Err(current.err().into_iter().chain(previous.err()).collect()),
        }
    }

    /// Which secret signed these bytes. `header` is the value of [`SIGNATURE_HEADER`].
    ///
    /// # Errors
    /// [`Refused`], whatever is wrong.
    pub fn verify(&self, header: Option<&str>, body: &[u8]) -> Result<SecretName, Refused> {
        let digits = header
            .and_then(|header| header.strip_prefix("sha256="))
            .ok_or(Refused)?;
        let signature = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map_err(|_| Refused)?;
        let named = [
            (SecretName::Current, Some(&self.current)),
            (SecretName::Previous, self.previous.as_ref()),
        ];
        named
            .into_iter()
            .filter_map(|(name, secret)| Some((name, secret?)))
            // `verify_slice` compares in constant time, and the whole length.
            .find(|(_, secret)| mac(secret, body).verify_slice(&signature).is_ok())
            .map(|(name, _)| name)
            .ok_or(Refused)
    }

    /// The header's value for these bytes under the current secret: what a sender writes.
    pub fn sign(&self, body: &[u8]) -> String {
        let signature = mac(&self.current, body).finalize().into_bytes();
        format!("sha256={}", data_encoding::HEXLOWER.encode(&signature))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rotating = self.previous.is_some();
        write!(f, "Secrets {{ rotating: {rotating} }}")
    }
}

fn strong(name: SecretName, secret: &str) -> Result<String, WeakSecret> {
    let secret = secret.trim();
    match secret.chars().count() {
        0 => Err(WeakSecret::Blank(name)),
        characters @ 1..MIN_CHARACTERS => Err(WeakSecret::Short { name, characters }),
        _ => Ok(secret.to_owned()),
    }
}

fn mac(secret: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CURRENT: &str = "0123456789abcdef0123456789abcdef";
    const PREVIOUS: &str = "fedcba9876543210fedcba9876543210";

    fn rotating() -> Secrets {
        Secrets::new(CURRENT, Some(PREVIOUS)).unwrap()
    }

    #[test]
    fn both_secrets_hold_while_they_rotate_and_are_told_apart() {
        let old = Secrets::new(PREVIOUS, None).unwrap();
        let new = Secrets::new(CURRENT, None).unwrap();
        let body = b"{}";
        assert_eq!(rotating().verify(Some(&new.sign(body)), body), Ok(SecretName::Current));
        assert_eq!(rotating().verify(Some(&old.sign(body)), body), Ok(SecretName::Previous));
        assert_eq!(new.verify(Some(&old.sign(body)), body), Err(Refused));
    }

    #[test]
    fn github_s_own_example_holds() {
        // From "Validating webhook deliveries"; its secret is too short to be one of ours.
        let signature = mac("It's a Secret to Everybody", b"Hello, World!")
            .finalize()
            .into_bytes();
        assert_eq!(
            HEXLOWER_PERMISSIVE.encode(&signature),
            "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
    }

    #[test]
    fn whatever_is_wrong_is_refused_alike() {
        let body = b"{\"zen\":\"Design for failure.\"}";
        let right = rotating().sign(body);
        let digits = right.strip_prefix("sha256=").unwrap();
        let wrong = [
            String::new(),
            "sha256=".to_owned(),
            digits.to_owned(),
            format!("sha1={}", &digits[..40]),
            format!("SHA256={digits}"),
            format!("sha256={}", &digits[..62]),
            format!("sha256={digits}00"),
            format!("sha256={digits} "),
            format!(" {right}"),
            format!("{right}, {right}"),
            format!("sha256={}", "g".repeat(64)),
            format!("sha256={}", "0".repeat(64)),
            format!("sha256={}", "é".repeat(32)),
        ];
        for header in wrong {
            assert_eq!(rotating().verify(Some(&header), body), Err(Refused), "{header}");
        }
        assert_eq!(rotating().verify(None, body), Err(Refused));
        assert_eq!(
            rotating().verify(Some(&right), b"{\"zen\":\"Design for failure!\"}"),
            Err(Refused)
        );
    }

    #[test]
    fn weak_secrets_are_refused_all_at_once() {
        let refused = Secrets::new(" \n", Some("short")).unwrap_err();
        assert_eq!(
            refused,
            [
                WeakSecret::Blank(SecretName::Current),
                WeakSecret::Short {
                    name: SecretName::Previous,
                    characters: 5
                }
            ]
        );
        assert!(!refused[1].to_string().contains("short\""), "{}", refused[1]);
        // White space does not lengthen a secret, and does not belong to it.
        let padded = format!("{}  \n", &CURRENT[..31]);
        assert_eq!(
            Secrets::new(&padded, None).unwrap_err(),
            [WeakSecret::Short {
                name: SecretName::Current,
                characters: 31
            }]
        );
        let padded = Secrets::new(&format!("{CURRENT}\n"), None).unwrap();
        assert_eq!(padded.sign(b""), Secrets::new(CURRENT, None).unwrap().sign(b""));
    }

    #[test]
    fn secrets_are_not_printed() {
        let printed = format!("{:?}", rotating());
        assert!(!printed.contains(CURRENT) && !printed.contains(PREVIOUS), "{printed}");
    }

    proptest! {
        #[test]
        fn every_header_and_body_has_an_answer(header in proptest::option::of(".{0,100}"), body: Vec<u8>) {
            prop_assert_eq!(rotating().verify(header.as_deref(), &body), Err(Refused));
        }

        #[test]
        fn what_was_signed_holds_and_one_changed_bit_does_not(mut body: Vec<u8>, at: prop::sample::Index, bit in 0..8_u8) {
            let header = rotating().sign(&body);
            prop_assert_eq!(rotating().verify(Some(&header), &body), Ok(SecretName::Current));
            body.push(0);
            prop_assert_eq!(rotating().verify(Some(&header), &body), Err(Refused));
            body.pop();
            if !body.is_empty() {
                let at = at.index(body.len());
                body[at] ^= 1 << bit;
                prop_assert_eq!(rotating().verify(Some(&header), &body), Err(Refused));
            }
        }
    }
}
