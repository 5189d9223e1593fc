//! Who asks: the App by its JWT, an installation by its token, or nobody.

use chrono::{DateTime, Duration, Utc};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use rustls::SignatureScheme;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::answer::Request;
use super::ids::*;
use super::journal::Credential;
use super::model::*;
use super::refusal::Refusal;

/// The sandbox App's private key. Everybody has it and it opens nothing but sandboxes.
pub const APP_PRIVATE_KEY: &str = include_str!("app-key.pem");
/// Its public half, PKCS#1.
const APP_PUBLIC_KEY: &str = include_str!("app-key.pub.pem");

/// How long an installation token is good for, by GitHub's documentation.
const TOKEN_LIFE: Duration = Duration::hours(1);
/// How far ahead a JWT's `exp` may lie, by GitHub's documentation.
const LONGEST_JWT: Duration = Duration::minutes(10);
/// How far GitHub lets clocks differ before it takes `iat` for the future.
const SKEW: Duration = Duration::seconds(5);

fn unreadable() -> Refusal {
    Refusal::new(401, "A JSON web token could not be decoded")
}

/// The credential of a request.
pub(super) fn credential(world: &World, request: &Request) -> Result<Credential, Refusal> {
    let Some(header) = request.headers.get("authorization") else {
        return Ok(Credential::Anonymous);
    };
    let token = header.split_once(' ').and_then(|(scheme, token)| {
        matches!(scheme.to_ascii_lowercase().as_str(), "bearer" | "token").then_some(token.trim())
    });
    let token = token.ok_or_else(|| Refusal::new(401, "Bad credentials"))?;
    if token.starts_with("ghs_") {
        let now = world.now();
        let found = world
            .tokens
            .iter()
            .find(|found| found.text == token && found.expires_at > now);
        return match found {
            Some(found) => Ok(Credential::Installation(found.installation)),
            None => Err(Refusal::new(401, "Bad credentials")),
        };
    }
    if token.matches('.').count() == 2 {
        check_jwt(world, token)?;
        return Ok(Credential::App);
    }
    Err(Refusal::new(401, "Bad credentials"))
}

/// The token that a request carries, when it is one of an installation.
pub(super) fn token_of<'a>(world: &'a World, request: &Request) -> Option<&'a Token> {
    let header = request.headers.get("authorization")?;
    let text = header.split_once(' ')?.1.trim();
    world.tokens.iter().find(|token| token.text == text)
}

fn check_jwt(world: &World, token: &str) -> Result<(), Refusal> {
    let (signed, signature) = token.rsplit_once('.').ok_or_else(unreadable)?;
    let (header, claims) = signed.split_once('.').ok_or_else(unreadable)?;
    let part = |text: &str| -> Result<Value, Refusal> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| unreadable())?;
        serde_json::from_slice(&bytes).map_err(|_| unreadable())
    };
    if part(header)?["alg"] != "RS256" {
        return Err(unreadable());
    }
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| unreadable())?;
    if !verify(signed.as_bytes(), &signature) {
        return Err(unreadable());
    }
    let claims = part(claims)?;
    let instant = |name: &str| {
        claims[name]
            .as_i64()
            .and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0))
    };
    let now = world.now();
    let issued = instant("iat").filter(|issued| *issued <= now + SKEW).ok_or_else(|| {
        Refusal::new(
            401,
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        )
    })?;
    let expires = instant("exp").filter(|expires| *expires > now).ok_or_else(|| {
        Refusal::new(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        )
    })?;
    if expires > now + LONGEST_JWT || expires < issued {
        return Err(Refusal::new(
            401,
            "'Expiration time' claim ('exp') is too far in the future",
        ));
    }
    let own = world.app.id.to_string();
    let issuer = match &claims["iss"] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    if issuer != own && issuer != format!("Iv23sandbox{own}") {
        return Err(Refusal::new(404, "Integration not found"));
    }
    Ok(())
}

/// Whether the App's key made this RS256 signature.
fn verify(message: &[u8], signature: &[u8]) -> bool {
    let base64: String = APP_PUBLIC_KEY
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let Ok(key) = BASE64.decode(base64.as_bytes()) else {
        return false;
    };
    let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
    algorithms
        .mapping
        .iter()
        .filter(|(scheme, _)| *scheme == SignatureScheme::RSA_PKCS1_SHA256)
        .flat_map(|(_, algorithms)| algorithms.iter())
        .any(|algorithm| algorithm.verify_signature(&key, message, signature).is_ok())
}

/// Makes a token in GitHub's newer form: the App's id and a long text that is not a fixed number of characters.
pub(super) fn mint(
    world: &mut World,
    installation: InstallationId,
    permissions: Permissions,
    repositories: Option<std::collections::BTreeSet<RepoId>>,
) -> Token {
    let count = world.counters.next("token", 1);
    let mut long = String::new();
    for round in 0..6 {
        long.push_str(&HEXLOWER.encode(&Sha256::digest(format!("token {count} {round}"))));
    }
    let text = format!("ghs_{}_{long}", world.app.id);
    let token = Token {
        text,
        installation,
        expires_at: world.now() + TOKEN_LIFE,
        permissions,
        repositories,
    };
    world.tokens.push(token.clone());
    token
}
