//! The program: see `countersign --help`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    countersign::outgoing::choose_tls();
    countersign::cli::arguments().run().await
}
