//! The JSON that a standard receiver gets. Its schema is published as `schema/notification.schema.json`.

use schemars::JsonSchema;
use serde::Serialize;

use super::Told;
use crate::workflow::awaits::Awaits;
use crate::workflow::ids::IssueNumber;
use crate::workflow::notification::{Kind, Notification, PhaseThen, Standing};
use crate::workflow::state::{SubjectKind, Timestamp};

/// Raised when something of the body changes its meaning, or goes. What is added changes nothing of it.
pub const SCHEMA_VERSION: u32 = 1;

/// What a standard receiver of Countersign's notifications is posted: ids, states and links, and nobody's words. Fields may
/// be added; where one changes its meaning or goes, schema_version is raised.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Countersign: notification")]
struct Body<'a> {
    /// What happened: workflow. and a word; or endpoint.test, where an operator tries whether an endpoint is told.
    #[schemars(with = "String", extend("enum" = types()))]
    r#type: String,
    /// When it happened.
    #[schemars(with = "String", extend("format" = "date-time"))]
    timestamp: Timestamp,
    /// The version of this form.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// Null of a test.
    data: Option<Data<'a>>,
}

/// What it happened to.
#[derive(Debug, Serialize, JsonSchema)]
struct Data<'a> {
    /// The workflow's id.
    workflow: &'a str,
    /// The name of the definition that it runs by.
    definition: &'a str,
    repository: Repository<'a>,
    subject: Subject,
    /// Where the workflow stands after it.
    status: Standing,
    /// The phase that it happened to, as it stands after it; null where it happened to the workflow as a whole.
    phase: Option<&'a PhaseThen>,
    /// What the workflow waits for after it; of a phase that waits, what that does. Null where it waits for nobody.
    waits_for: Option<&'a Awaits>,
    /// The page of the workflow's card; null where it has none yet, as at its start.
    card: Option<&'a str>,
}

/// The repository.
#[derive(Debug, Serialize, JsonSchema)]
struct Repository<'a> {
    /// Its id, which survives renames.
    id: u64,
    /// Its owner and name when it happened.
    name: &'a str,
}

/// What the workflow is anchored to.
#[derive(Debug, Serialize, JsonSchema)]
struct Subject {
    kind: SubjectKind,
    /// Its number; issues, pull requests and discussions of a repository share one sequence.
    number: u64,
    /// Its page.
    url: String,
}

/// The type of a test.
const TEST: &str = "endpoint.test";

fn types() -> Vec<String> {
    let of_workflows = Kind::ALL.into_iter().map(type_of);
    of_workflows.chain([TEST.to_owned()]).collect()
}

fn type_of(kind: Kind) -> String {
    format!("workflow.{}", kind.as_str())
}

/// The bytes, as they are signed and sent.
pub(super) fn of(told: &Told<'_>, site: &str) -> Vec<u8> {
    let Notification {
        kind,
        at,
        workflow,
        definition,
        subject,
        standing,
        phase,
        waits_for,
        ..
    } = told.notification;
    let body = Body {
        r#type: type_of(*kind),
        timestamp: *at,
        schema_version: SCHEMA_VERSION,
        data: Some(Data {
            workflow: workflow.as_str(),
            definition,
            repository: Repository {
                id: subject.repository.0,
                name: told.repository,
            },
            subject: Subject {
                kind: subject.kind,
                number: subject.number.0,
                url: page(site, told.repository, (subject.kind, subject.number)),
            },
            status: *standing,
            phase: phase.as_ref(),
            waits_for: waits_for.as_ref(),
            card: told.card,
        }),
    };
    written(&body)
}

/// The bytes of a test.
pub(super) fn of_a_test(now: Timestamp) -> Vec<u8> {
    written(&Body {
        r#type: TEST.to_owned(),
        timestamp: now,
        schema_version: SCHEMA_VERSION,
        data: None,
    })
}

fn written(body: &Body<'_>) -> Vec<u8> {
    serde_json::to_vec(body).expect("our own types are JSON")
}

/// The page of a subject.
pub(super) fn page(site: &str, repository: &str, (kind, number): (SubjectKind, IssueNumber)) -> String {
    let kind = match kind {
        SubjectKind::Issue | SubjectKind::Folder => "issues",
        SubjectKind::PullRequest => "pull",
        SubjectKind::Discussion => "discussions",
    };
    format!("{site}/{repository}/{kind}/{number}")
}

/// The JSON Schema of the body, for receivers; published as `schema/notification.schema.json`.
pub fn schema() -> serde_json::Value {
    let settings =
        schemars::generate::SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<Body<'_>>().to_value()
}
