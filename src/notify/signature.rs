//! Who sent this? HMAC-SHA256 over id, time and body, as Standard Webhooks has it
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme>).

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::config::SigningSecret;

/// The headers of one attempt: the id of what is told, the time of the attempt in seconds since 1970, and a signature by
/// each secret, so that a receiver may be given the new one before or after the old one goes.
pub(super) fn headers<'a>(
    secrets: impl Iterator<Item = &'a SigningSecret>,
    id: &str,
    timestamp: i64,
    body: &[u8],
) -> [(&'static str, String); 3] {
    let signatures: Vec<String> = secrets.map(|secret| sign(secret, id, timestamp, body)).collect();
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ]
}

fn sign(secret: &SigningSecret, id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose()).expect("HMAC takes a key of any length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's libraries.
    #[test]
    fn the_standards_own_example_is_signed_as_there() {
        let secret = SigningSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = sign(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn while_a_secret_is_changed_both_sign() {
        let [old, new] =
            [7_u8, 8].map(|byte| SigningSecret::parse(&format!("whsec_{}", BASE64.encode(&[byte; 24]))).unwrap());
        let [_, _, (name, both)] = headers([&new, &old].into_iter(), "msg_1", 1, b"{}");
        let each = [&new, &old].map(|secret| sign(secret, "msg_1", 1, b"{}"));
        assert_eq!((name, both), ("webhook-signature", each.join(" ")));
        assert_ne!(each[0], each[1]);
    }
}
