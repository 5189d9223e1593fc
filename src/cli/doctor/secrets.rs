//! Whether secrets are kept as secrets are: their length and form was checked when the settings were read.

use std::path::Path;

use super::findings::Findings;
use crate::config::{ServerConfig, Sources};

const AREA: &str = "secrets";

/// Looks at a rotation that was not finished, and at who else may read the files that hold secrets.
pub(super) fn look(sources: &Sources<'_>, config: &ServerConfig, findings: &mut Findings) {
    let mut all_well = true;
    if config.webhook_secret_previous.is_some() {
        all_well = false;
        findings.doubtful(
            AREA,
            "deliveries that are signed with the former secret are still taken",
            "when GitHub signs with the new one, remove COUNTERSIGN_WEBHOOK_SECRET_PREVIOUS and restart",
        );
    }
    for path in sources.files_with_secrets() {
        if let Some(who) = others_may_read(&path) {
            all_well = false;
            findings.doubtful(
                AREA,
                format!("{} can be read by {who}", path.display()),
                format!("chmod 600 {}, unless it holds no secret", path.display()),
            );
        }
    }
    if all_well {
        findings.fine(
            AREA,
            "one webhook secret, and no file with a secret that others may read",
        );
    }
}

#[cfg(unix)]
pub(super) fn others_may_read(path: &Path) -> Option<&'static str> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    match (mode & 0o004 != 0, mode & 0o040 != 0) {
        (true, _) => Some("everybody on this machine"),
        (false, true) => Some("its group"),
        (false, false) => None,
    }
}

#[cfg(not(unix))]
pub(super) fn others_may_read(_: &Path) -> Option<&'static str> {
    None
}
