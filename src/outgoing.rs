//! Clients for HTTP, made in one way: they follow no redirect, and all of a process share the machine's certificates, which
//! are read and parsed once.

mod retry_after;

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::{Client, ClientBuilder};
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt as _;
use url::Url;

use crate::config::is_loopback;
pub use retry_after::{retry_after, seconds};

/// How long a connection may take to open, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// Whether a proxy stands between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Through the proxy that the environment names, if any.
    Outward,
    /// To this machine, which no proxy could reach for us.
    Direct,
}

impl Way {
    /// The way to this address.
    pub fn to(url: &Url) -> Self {
        if is_loopback(url) { Self::Direct } else { Self::Outward }
    }
}

/// The beginning of a client. Where the machine has no certificates, making it fails with reqwest's sentence.
pub fn client(way: Way) -> ClientBuilder {
    let builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT);
    let builder = match way {
        Way::Outward => builder,
        Way::Direct => builder.no_proxy(),
    };
    match tls() {
        Some(tls) => builder.tls_backend_preconfigured(tls),
        None => builder,
    }
}

/// Says which implementation of TLS is used. Two may be compiled in, and without a choice the first connection panics.
pub fn choose_tls() {
    // Fails when the process has a provider already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

fn tls() -> Option<ClientConfig> {
    static TLS: OnceLock<ClientConfig> = OnceLock::new();
    if let Some(tls) = TLS.get() {
        return Some(tls.clone());
    }
    choose_tls();
    let mut tls = ClientConfig::with_platform_verifier().ok()?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Some(TLS.get_or_init(|| tls).clone())
}
