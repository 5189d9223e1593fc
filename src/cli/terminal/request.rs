//! `countersign prompt`: the complete request of the phase that is asked now.

use serde_json::json;

use super::super::answer::{Answer, Refusal};
use super::super::database::{Database, Whose};
use super::super::page::{facts, harmless};
use super::super::status::unknown;
use super::models_from_here;
use super::phase::Phased;
use crate::config::{Models, ProviderName};
use crate::engine::whole_request;

/// Whose request.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Prompted {
    #[command(flatten)]
    phased: Phased,
    #[command(flatten)]
    database: Database,
}

impl Prompted {
    /// Prints it: the instructions, the messages, the schema of the answer, and the model where one is asked.
    pub(in crate::cli) async fn run(self) -> Result<Answer, Refusal> {
        let models = self.models()?;
        let store = self.database.reader().await?;
        let (id, phase) = self.phased.meant(&store).await?;
        if store.workflow_summary(&id).await?.is_none() {
            return Err(unknown(&id));
        }
        let request = whole_request(&store, &id, phase.as_deref())
            .await?
            .map_err(Refusal::failed)?;
        let model = match request.provider.parse::<ProviderName>() {
            Ok(provider) => provider
                .endpoint()
                .and_then(|name| models.endpoint(name.as_str()))
                .map(|endpoint| endpoint.model.clone()),
            Err(_) => None,
        };
        let mut data = json!(&request);
        if let Some(model) = &model {
            data["model"] = json!(model);
        }
        let mut about = vec![
            ("workflow", id.to_string()),
            (
                "phase",
                format!("{} {}, attempt {}", request.phase, request.iteration, request.attempt),
            ),
            ("provider", request.provider.clone()),
            ("schema", request.schema_name.clone()),
        ];
        about.extend(model.iter().map(|model| ("model", model.clone())));
        about.extend(request.prompt.map(|prompt| ("prompt", prompt.to_string())));
        if request.waits_for_approval {
            about.push((
                "note",
                "it waits for approval, and no answer is taken before that".to_owned(),
            ));
        }
        let mut page = facts(&about);
        let said = request.messages.iter().map(|message| message.content.as_str());
        for part in std::iter::once(request.system.as_str()).chain(said) {
            page.push('\n');
            for line in part.lines() {
                page.push_str(&harmless(line));
                page.push('\n');
            }
        }
        Ok(Answer::new(data, page))
    }

    fn models(&self) -> Result<Models, Refusal> {
        match (self.database.whose(), &self.database.config) {
            (Ok(Whose::Servers(_)), None) => Ok(Models::default()),
            (_, config) => models_from_here(config.clone()),
        }
    }
}
