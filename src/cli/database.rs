//! Which database a command looks into: the one setting that it needs.

use std::path::PathBuf;

use super::answer::Refusal;
use crate::config::{DatabaseUrl, Overrides, Sources};
use crate::store::Store;

/// The flags that name the database.
#[derive(Debug, clap::Args)]
pub(super) struct Database {
    /// The server's configuration file (YAML)
    #[arg(long, env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The server's database, such as `sqlite:countersign.sqlite` [env: COUNTERSIGN_DATABASE_URL]
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
}

impl Database {
    /// To read, beside a running server or without one.
    pub(super) async fn reader(self) -> Result<Store, Refusal> {
        let opened = Store::open_to_read(&self.url()?).await;
        opened.map_err(|error| Refusal::configuration(vec![error.to_string()]))
    }

    /// To leave a request for the server.
    pub(super) async fn outside_writer(self) -> Result<Store, Refusal> {
        let opened = Store::open_to_ask(&self.url()?).await;
        opened.map_err(|error| Refusal::configuration(vec![error.to_string()]))
    }

    fn url(self) -> Result<DatabaseUrl, Refusal> {
        let overrides = Overrides {
            config: self.config,
            database_url: self.database_url,
            ..Overrides::default()
        };
        let sources = Sources {
            overrides: &overrides,
            environment: &|name| std::env::var(name).ok(),
            check_key: None,
        };
        let found = sources.database();
        found.map_err(|problems| Refusal::configuration(problems.sentences().to_vec()))
    }
}
