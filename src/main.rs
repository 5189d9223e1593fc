//! The program: see `countersign --help`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // Two providers may be compiled in; without a choice the first TLS connection panics. A second call changes nothing.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    countersign::cli::arguments().run().await
}
