//! The App's permissions and events against those of `app.yml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::findings::Findings;
use crate::github::{AppIdentity, InstallationInfo};

const AREA: &str = "app";

/// What the program asks of GitHub.
#[derive(Debug, Deserialize)]
struct Manifest {
    default_permissions: BTreeMap<String, String>,
    default_events: Vec<String>,
}

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    serde_saphyr::from_str(include_str!("../../../app.yml")).expect("the manifest is of this program; a test reads it")
});

/// Whether the App asks for what the program needs.
pub(super) fn compare(app: &AppIdentity, findings: &mut Findings) {
    let lacking = lacking(&app.permissions);
    let unheard: Vec<&str> = MANIFEST
        .default_events
        .iter()
        .map(String::as_str)
        .filter(|event| !app.events.iter().any(|heard| heard == event))
        .collect();
    let needless = needless(&app.permissions);
    let unused: Vec<&str> = app
        .events
        .iter()
        .map(String::as_str)
        .filter(|event| !MANIFEST.default_events.iter().any(|used| used == event))
        .collect();
    if lacking.is_empty() && unheard.is_empty() {
        findings.fine(AREA, "it has the permissions and the events of app.yml");
    }
    if !needless.is_empty() {
        findings.doubtful(
            AREA,
            format!("it asks for more than this program uses: {}", needless.join(", ")),
            "take that away on the App's page “Permissions & events”, unless another program uses the App, too",
        );
    }
    if !unused.is_empty() {
        findings.doubtful(
            AREA,
            format!("it is told of what this program does not use: {}", unused.join(", ")),
            "unsubscribe there, unless another program uses the App, too",
        );
    }
    if !lacking.is_empty() {
        findings.wrong(
            AREA,
            format!("it does not ask for {}", lacking.join(", ")),
            "add them on the App's page “Permissions & events”; each installation's owner then accepts them",
        );
    }
    if !unheard.is_empty() {
        findings.wrong(
            AREA,
            format!("it is not told of {}", unheard.join(", ")),
            "subscribe to them on the App's page “Permissions & events”",
        );
    }
}

/// Whether an installation accepted what the program needs.
pub(super) fn accepted(installation: &InstallationInfo, findings: &mut Findings) {
    const AREA: &str = "installations";
    let account = installation.account.as_ref();
    let account = account.map_or_else(|| installation.id.to_string(), |account| account.login.clone());
    let lacking = lacking(&installation.permissions);
    if installation.suspended {
        findings.doubtful(
            AREA,
            format!("{account} suspended it ({})", installation.html_url),
            "an owner lifts that there",
        );
    } else if lacking.is_empty() {
        findings.fine(AREA, format!("{account} accepted every permission"));
    } else {
        findings.wrong(
            AREA,
            format!(
                "{account} did not accept {} ({})",
                lacking.join(", "),
                installation.html_url
            ),
            "an owner accepts them there",
        );
    }
}

/// The permissions of the manifest that are missing, as `name: level`.
fn lacking(has: &BTreeMap<String, String>) -> Vec<String> {
    MANIFEST
        .default_permissions
        .iter()
        .filter(|(name, level)| has.get(*name).is_none_or(|has| rank(has) < rank(level)))
        .map(|(name, level)| format!("{name}: {level}"))
        .collect()
}

/// What goes beyond the manifest, as `name: level`.
fn needless(has: &BTreeMap<String, String>) -> Vec<String> {
    has.iter()
        .filter(|(name, level)| {
            let used = MANIFEST.default_permissions.get(*name);
            used.is_none_or(|used| rank(used) < rank(level))
        })
        .map(|(name, level)| format!("{name}: {level}"))
        .collect()
}

/// Each level holds those before it
/// (<https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app>).
fn rank(level: &str) -> usize {
    ["read", "write", "admin"]
        .iter()
        .position(|known| *known == level)
        .map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_level_holds_the_lower_and_what_is_missing_is_named() {
        let mut has = MANIFEST.default_permissions.clone();
        assert_eq!(lacking(&has), Vec::<String>::new());
        assert_eq!(needless(&has), Vec::<String>::new());
        has.insert("contents".to_owned(), "admin".to_owned());
        assert_eq!(lacking(&has), Vec::<String>::new());
        has.insert("issues".to_owned(), "read".to_owned());
        has.remove("metadata");
        assert_eq!(lacking(&has), ["issues: write", "metadata: read"]);
        has.insert("administration".to_owned(), "read".to_owned());
        assert_eq!(needless(&has), ["administration: read", "contents: admin"]);
    }
}
