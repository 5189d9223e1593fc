//! `docs/definitions.md` is written from the schema, the example and what the commands print of it.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::{graph, read, simulate};
use crate::config::definition::definition_schema;

const LEAD: &str = "<!-- Written from the types. `UPDATE_DOCS=1 cargo test definitions_document` writes it anew. -->

# Definitions of workflows

A workflow follows a definition: a file of YAML with phases, and what must hold between them. The program brings some
(`countersign definitions` lists them). A repository adds its own: one file each, `.github/countersign/NAME.yml` on the
default branch, at most 50, or in a list under `definitions` in `.github/countersign.yml`, at most 20. `/run NAME` starts
one; `definition: NAME` in `.github/countersign.yml` makes it the one that `/deliver` starts. A label `countersign:NAME`, set
on an issue, pull request or discussion, starts one as `/run NAME` does, with the same rights; it is taken off once it was
heard. What needs inputs is answered with the command to write instead. `countersign:approve`, `:reject`, `:hold` and
`:deliver` keep their meaning, so a definition called `approve`, `reject` or `hold` has no such label, nor has one whose label
would have more than GitHub's 50 characters; `check` says so. The bot makes those four in a repository; people make one for a
definition.

A push to the default branch has the files read at once. A file with mistakes changes nothing: the last good one stays in
force, and whoever speaks next reads what is wrong, with line and column. A workflow keeps the definition that it started
with, whatever becomes of the file, and with it the texts of the program's templates that it uses: a newer version of the
program changes neither. A name that the program brings, or another file has, cannot be taken.

A definition cannot loosen what holds elsewhere. What leaves (issues, mail) needs a gate of people with `write` or more in
front of it; the repository's `permissions`, its caps and the server's hold beside what a definition says. Templates show
values by their names (`{{ schema }}`) and have `if` and `for`, and nothing that makes new values: no filters, calls,
operators or assignments. They are filled in with a bound on their work and on what they write, and see nothing but what
they are given: the name and text of their schema, and the standards (`standards.name`, `.sha256`, `.text`). What people
wrote, the repository's [guidelines](#guidelines) among it, reaches a model as encoded text behind the template's, never
through it.

Before a file is used, all of this is checked, and each mistake is told with its place: keys that are not known; names
that do not exist; a phase that nothing reaches; a cycle that is no iteration (what repeats goes back by `on_fail`); a
loop without a cap (`limits.iterations` of the phase that it goes back to); a template that is missing, fails or is used by
nothing; a verdict that nothing can give; rules that have no grammar for a prompt; a gate that is missing or too weak in
front of what leaves. What is not of its form (a text where a number goes) can hide other mistakes; mended, the rest is told.

| command | what it does |
| --- | --- |
| `countersign definitions` | lists what the program brings |
| `countersign definitions check FILE` | every mistake, as `FILE:LINE:COLUMN: what to do` |
| `countersign definitions costs NAME` | what each role takes of which model, a call and a month; also of a file |
| `countersign definitions graph NAME` | a Mermaid chart and a text; also of a file |
| `countersign definitions simulate NAME --script FILE` | walks it with nothing outside and prints every state; also a file |
| `countersign definitions schema` | the JSON Schema, for editors; it lies in `schema/definition.schema.json`, too |

## Gates

`gate` stands behind what a phase made, `prompt_gate` in front of what it asks. A gate has up to three parts, and all that it
names must hold, in this order: `checks`, `ai`, `people`. In words: `none` (or `skip`), `people`, `ai`, `ai+people`. In front
of what leaves there must be `people`; `ai` and `checks` may stand beside them and never in their place.

- `ai` asks a model (`provider: http:NAME`, else that of its `role`, else the repository's `providers.default`) what it thinks
  of what was made, by a template (`approve`, unless `prompt` names another). It answers by `gate.v1`: `decision` (`approve`,
  `reject`), `feedback`, `rewrite`. What cannot be read as a yes, after one more try, is a no. A model that cannot be asked is
  an error that `/retry` ends, never a yes. It is shown at most 50 KB of one text and 200 KB of all; what is cut stands on the
  card. Its word is kept with the digest of what it was shown, and any change voids it.
- An answer that it rejects is tried again with what it said, up to `limits.retries`; then a person is needed, who changes it
  (`/edit`, and it is asked anew), asks for another round (`/revise`) or ends it. A prompt that it rejects waits for a person at
  once, unless `rewrite: true` has it put in the words that it suggests, which meet the gate anew, at most `limits.retries`
  times. The count starts anew with the next stage and the next iteration.
- `ai` with `people`: both must say yes. People are called once it has decided and see what it said. They cannot approve what it
  rejected, unless `overrule: true` lets them; then it is recorded as theirs.
- `checks` are facts that the host finds out by itself. `host: [paths, schema, secrets]` looks at what was made and works
  everywhere. `named: [build]` and `all: true` look at the check runs and commit statuses on the head of the pull request that
  the workflow is about; on an issue such a workflow does not start. Only `success` is a yes. GitHub itself lets [`neutral` and
  `skipped`](https://docs.github.com/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/troubleshooting-required-status-checks)
  pass where a check is required; here they do not, because neither has looked. They are read when something waits there, when
  GitHub tells of a change, every five minutes, right before the gate opens and right before anything leaves. A push voids
  approvals.
- `people` may wait for a limited time (`expires_after_hours`). `on_expiry: PHASE` sends it back to a phase that lies before it,
  such as one that begins `on_demand` and asks somebody else: the phases from there on are run again, and nothing of what waited
  counts. When that phase has run as often as it may, the proposal is rejected.
- `code_owners: true` asks for an owner of every path that a `files.v1` writes, and of every changed file of the pull request
  that the workflow is about.

## Labels

`label` has the subject show by a label where the workflow stands, for people and their searches. `label: wf:sorting` stands
while the phase is under way: from when it begins until it is complete, also while it waits for people or carries out acts,
and not while it has failed. `label: {running: wf:solving, ready_for_review: wf:discussion, completed: wf:done}` names one for
each status that should show; a status that is not named shows nothing. A hold changes no label. Phases side by side show
theirs at once, and phases may share one. When the workflow is complete, the labels of `completed` stay; when it was
cancelled, all go.

The bot makes a label that the repository lacks, puts on what is missing and takes off what should not be there, of the labels
that the definition names and of no others. To set one by hand does nothing: what stands otherwise is set right at the start of
the server, every hour and on `/status`, and the card says so. The next workflow on the same subject takes off those labels of
an earlier one that it names itself.

A name has at most 50 characters and does not begin with `countersign:`, by which people speak to the bot. GitHub takes names
that differ only in case as one, so a definition spells each in one way. `solve` shows `wf:collecting`, `wf:solving`,
`wf:discussion` and `wf:done`.

## Keys
";

const VARIANTS: &str = "
## Variants, and a choice

A phase with `variants` is made several times side by side, from 2 to 8: `variants: 3`, or a list that says how each
differs by `title`, `instruction` (told before the prompt that all share), `role` or `provider`. When a workflow starts, it
becomes a phase for each: of `draft`, `draft-a`, `draft-b` and so on, which people call A, B and so on.

One later phase has `chooses: draft` and a gate of people. It waits until every variant has ended. One whose provider
gives nothing of use has failed; it is named and left out. One that a person answers is waited for. When all have failed
the choice has, too. Else the program compares them: each in full, what each changes of the first, and scores from 0 to 10
by the lines of `rubric`. A line with `mentions` scores the share of those words that a variant holds, one with
`most_words` its length. With a `prompt` (the program brings `choice/compare`) a model scores every line as well; where it
fails, people choose without its scores. What fits no card stands in full in comments before the choice is offered; the
card keeps the scores and the first 600 characters of each.

`/choose B` is an approval of the comparison that names a variant: it needs the same rights, digest and quorum (of people
who choose the same), and `/approve` is refused there. What was chosen is what `inputs: [choose]` hands on. `/retry B`
makes one variant anew as it is specified; its comparison is void then, and there is a new one. `/retry` after `/reject`
makes all of them anew.

Each variant is a run of its own, so that the cap of a run (`caps.run`) holds for each; the cap of a workflow is shared by
all, first come, first served, and a variant that it stops has failed.
";

const GUIDELINES: &str = "
## Guidelines

`standards` are a text that the definition brings. `guidelines` are a text of the repository that the workflow runs in: the
first file that is there of those that are named, such as `[AGENTS.md, CLAUDE.md]`, at most 5, each a path from the root of
the default branch. No file is no mistake. Each prompt that is made of a `prompt` with a `schema` holds it in a section of
its own, between the template's text and the data; templates need not mention it. `guidelines: false` at a phase leaves
it out there, as for one that a person answers in their own way. The program's own agents (`agent`) and choices
(`chooses`) take none.

The text is read anew for every prompt; the names stay as the workflow started with them. A repository may name another
file, or none, in its [configuration](configuration.md#guidelines), which also says what is done with a file that is too
long or cannot be given.
";

const SCRIPT: &str = "## Scripts of `simulate`

A script has `given` (what the definition asks for) and `steps`, in order. Each step is one of these; a step that is
refused says why and changes nothing. A minute passes before each. A script that names a phase which the definition does
not have is not walked.

| step | keys, all optional | what happens |
| --- | --- | --- |
| `ran` | `phase` (else the first that runs), `result` (`proposed`, `prompted`, `failed`, `needs_person`, `nothing`), `verdict` (`pass`, `fail`), `acts` (how many) | an agent's run ends |
| `ruled` | `phase`, `result` (`approved`, `rejected`, `rewritten`, `failed`), `feedback` | the approver of a gate decides |
| `checked` | `phase`, `result` (`green`, `red`, `pending`), `head` | the checks of a gate are read |
| `acted` | `phase`, `all` | one act, or all that are left, are carried out |
| `act_failed` | `phase` | an act fails for good |
| `approve` | `by`, `right`, `verdict` | somebody approves what is shown |
| `respond` | `by`, `right`, `phase`, `verdict` | somebody answers in the agent's place |
| `reject`, `revise`, `hold`, `cancel` | `by`, `right`, `text` | somebody says so |
| `unapprove`, `unhold` | `by`, `right` | somebody says so |
| `retry` | `by`, `right`, `variant` | somebody has it tried again, or a variant made anew |
| `choose` | `variant` (needed), `by`, `right` | somebody chooses a variant |
| `wait_hours: N` | | time passes, and the open gate's timer fires if it is due |
| `child` | `standing` (needed: `open`, `stopped`, `completed`, `cancelled`, `refused`), `phase`, `key` (else the first that has not ended) | a child stands otherwise |
| `skip` | `by`, `right`, `text` | somebody goes on with what is done |
| `closed` | | the issue is closed |

`by` is a login (`alice` unless it is given) and `right` a right on the repository (`admin`). Keys may be left out, the
mapping not: `approve: {}`.
";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn example(name: &str) -> String {
    std::fs::read_to_string(root().join("examples").join(name)).unwrap()
}

fn kind(schema: &Value) -> String {
    if let Some(options) = schema["enum"].as_array() {
        let options: Vec<String> = options
            .iter()
            .map(|option| format!("`{}`", option.as_str().unwrap()))
            .collect();
        return options.join(", ");
    }
    if schema["type"] == serde_json::json!(["integer", "string"]) {
        return "whole number or text".to_owned();
    }
    if schema["type"] == serde_json::json!(["string", "integer", "boolean"]) {
        return "text, whole number, or true or false".to_owned();
    }
    if schema["type"] == serde_json::json!(["integer", "array"]) {
        return "whole number, or list of mappings".to_owned();
    }
    if schema["type"] == serde_json::json!(["string", "object"]) && schema["properties"]["completed"].is_object() {
        return "text, or status to text".to_owned();
    }
    if schema["type"] == serde_json::json!(["string", "object"]) {
        return "`none` (or `skip`), or what must hold".to_owned();
    }
    match schema["type"].as_str() {
        Some("string") => "text".to_owned(),
        Some("integer") => "whole number".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        Some("array") => match schema["items"]["type"].as_str() {
            Some("object") => "list of mappings".to_owned(),
            _ => "list of texts".to_owned(),
        },
        Some("object") if schema["additionalProperties"].is_object() => {
            match schema["additionalProperties"]["type"].as_str() {
                Some("string") => "name to text".to_owned(),
                _ => "name to mapping".to_owned(),
            }
        }
        Some("object") => "mapping".to_owned(),
        other => panic!("{other:?} of {schema}"),
    }
}

/// The tables of a mapping's keys, and of those below it.
fn tables(title: &str, schema: &Value, path: &str, page: &mut String) {
    let _ = write!(
        page,
        "\n### {title}\n\n| key | what may stand there | default | meaning |\n| --- | --- | --- | --- |\n"
    );
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let mut below = Vec::new();
    for (key, property) in schema["properties"].as_object().unwrap() {
        let default = match &property["default"] {
            _ if required.contains(&Value::from(key.as_str())) => "required".to_owned(),
            Value::String(text) => format!("`{text}`"),
            Value::Number(number) => format!("`{number}`"),
            Value::Bool(truth) => format!("`{truth}`"),
            _ => String::new(),
        };
        let meaning = property["description"]
            .as_str()
            .unwrap_or_else(|| panic!("{path}{key} has no description"));
        let meaning = meaning.replace('\n', " ").replace('|', "\\|");
        let _ = writeln!(page, "| `{key}` | {} | {default} | {meaning} |", kind(property));
        for (inner, step) in [
            (property, String::new()),
            (&property["items"], "[]".to_owned()),
            (&property["additionalProperties"], ".NAME".to_owned()),
        ] {
            if inner["properties"].is_object() {
                below.push((format!("{path}{key}{step}"), inner));
            }
        }
    }
    for (path, schema) in below {
        // Both gates of a phase have the same keys.
        if !path.contains("prompt_gate") {
            tables(&format!("`{path}`"), schema, &format!("{path}."), page);
        }
    }
}

const CHILDREN: &str = "A phase with `for_each` has a child workflow for each issue that another phase opened. A child is \
a workflow as any other, on its own issue: with phases, iterations and caps of its own, a card, a history, commands. \
Its definition is stored in the parent's first event, so that what runs never changes.\n\n\
- `with` gives the child's inputs fields of the issue as it was approved.\n\
- `wait: all`: the phase is complete when every child is. A child that was cancelled or could not be started fails the \
phase, and `/retry` starts another in its place. `wait: done`: it goes on with those that completed once all have ended, \
or when somebody says `/skip`.\n\
- `/hold`, `/unhold` and `/cancel` of the parent reach every child; a child that its parent holds cannot be let go on by \
itself, and a hold of its own outlives its parent's.\n\
- What a child's agents spend counts for the cap of its workflow and for those of its parents.\n\
- A fork of a parent starts no child anew; `/retry` does.\n\
- Children stand at most three deep, no definition is a child of itself, and one issue has one open workflow: a child \
whose issue has another one says so on its parent's card.\n";

fn document() -> String {
    let mut page = LEAD.to_owned();
    tables("The file", &definition_schema(), "", &mut page);
    page.push_str(GUIDELINES);
    page.push_str(VARIANTS);
    let definition = read(&root().join("examples/triage.yml"), &[], None).unwrap();
    let walked = simulate::pages(&definition, &example("triage.script.yml")).unwrap();
    let _ = write!(
        page,
        "\n## An example\n\n`examples/triage.yml` sorts an issue. No part of it is in the program:\n\n```yaml\n{}```\n\n\
         `countersign definitions graph examples/triage.yml`:\n\n```mermaid\n{}```\n\n```text\n{}```\n\n\
         {SCRIPT}\n`examples/triage.script.yml`:\n\n```yaml\n{}```\n\nThe walk:\n\n```text\n{}```\n",
        example("triage.yml"),
        graph::mermaid(&definition),
        graph::text(&definition),
        example("triage.script.yml"),
        walked.trim_end().to_owned() + "\n",
    );
    let each = read(&root().join("examples/each-task.yml"), &[], None).unwrap();
    let walked = simulate::pages(&each, &example("each-task.script.yml")).unwrap();
    let _ = write!(
        page,
        "\n## Children\n\n{CHILDREN}\n`examples/each-task.yml`:\n\n```yaml\n{}```\n\n\
         `examples/task.yml`, its children:\n\n```yaml\n{}```\n\n\
         `examples/each-task.script.yml`:\n\n```yaml\n{}```\n\nThe walk:\n\n```text\n{}\n```\n",
        example("each-task.yml"),
        example("task.yml"),
        example("each-task.script.yml"),
        walked.trim_end(),
    );
    page
}

#[test]
fn the_definitions_document_is_written_from_the_types() {
    let path = root().join("docs/definitions.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, document()).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap_or_default() == document(),
        "docs/definitions.md is out of date: UPDATE_DOCS=1 cargo test definitions_document"
    );
}

#[test]
fn a_refused_step_says_why_and_changes_nothing() {
    let definition = read(&root().join("examples/triage.yml"), &[], None).unwrap();
    let walked = simulate::pages(
        &definition,
        "steps:\n  - approve: {}\n  - acted: {}\n  - ran: {verdict: fail}\n  - wait_hours: 5\n",
    )
    .unwrap();
    for line in [
        "== alice (admin) approves [open]\n   refused: ",
        "refused: no phase is approved\n",
        "== ran nothing: proposed [open]\n   refused: what sort makes has no verdict\n",
        "refused: no gate is open\n",
    ] {
        assert!(walked.contains(line), "{line}\n{walked}");
    }
    assert_eq!(walked.matches("sort    running  iteration 1").count(), 5, "{walked}");
}

#[test]
fn a_script_that_does_not_fit_is_refused() {
    let definition = read(&root().join("examples/triage.yml"), &[], None).unwrap();
    for (script, expected) in [
        (
            "given: {focus: weather}\nsteps: []\n",
            "`given` does not fit:\n- `focus` is `weather`; it can be",
        ),
        ("steps:\n  - aprove: {}\n", "not a script: line 2, column 5: "),
        ("steps:\n  - ran: {phaze: sort}\n", "phaze"),
        (
            "steps:\n  - ran: {}\n  - ran: {phase: srot}\n",
            "step 2: triage has no phase srot; did you mean `sort`?",
        ),
    ] {
        let refused = simulate::pages(&definition, script).unwrap_err();
        assert!(refused.contains(expected), "{script}\n{refused}");
        assert!(
            !refused.contains("<input>") && !refused.contains("error:") && !refused.contains("/run"),
            "{refused}"
        );
    }
}

#[test]
fn the_whole_of_a_definition_with_acts_is_walked() {
    let all = crate::engine::embedded_definitions().unwrap();
    let deliver = all.iter().find(|definition| definition.name == "deliver").unwrap();
    let walked = simulate::pages(
        deliver,
        "steps:\n  - ran: {acts: 3}\n  - approve: {}\n  - acted: {}\n  - acted: {all: true}\n  - ran: {}\n  - approve: {by: bob, right: write}\n  - act_failed: {}\n  - retry: {}\n  - acted: {}\n",
    )
    .unwrap();
    assert!(walked.trim_end().contains("== acted email [completed]"), "{walked}");
    assert!(!walked.contains("refused"), "{walked}");
}

#[test]
fn labels_are_drawn_and_walked() {
    let all = crate::engine::embedded_definitions().unwrap();
    let solve = all.iter().find(|definition| definition.name == "solve").unwrap();
    let text = graph::text(solve);
    for line in [
        "    label wf:collecting\n",
        "    label wf:solving (running), wf:solving (waiting_for_human), wf:discussion (ready_for_review), wf:discussion \
         (rejected), wf:done (completed)\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let script = "steps:\n  - ran: {result: nothing}\n  - ran: {}\n  - hold: {}\n  - unhold: {}\n  - approve: {}\n";
    let walked = simulate::pages(solve, script).unwrap();
    let labels: Vec<&str> = walked
        .lines()
        .filter_map(|line| line.strip_prefix("   labels: "))
        .collect();
    let expected = [
        "wf:collecting",
        "wf:solving",
        "wf:discussion",
        "wf:discussion",
        "wf:discussion",
        "wf:done",
    ];
    assert_eq!(labels, expected, "{walked}");
    assert_eq!(walked.matches("-> set the labels").count(), 4, "{walked}");
}

#[test]
fn two_hundred_phases_are_drawn_and_walked() {
    let mut text = "name: long\nversion: 1\ntitle: Long\nprompts: {p: P}\nphases:\n".to_owned();
    let mut script = "steps:\n".to_owned();
    for number in 0..200_u32 {
        let needs = number.checked_sub(1).map(|before| format!("p{before}"));
        let _ = writeln!(
            text,
            "  - {{id: p{number}, title: P, needs: [{}], prompt: p, schema: document.v1, gate: {{people: {{}}}}}}",
            needs.unwrap_or_default()
        );
        script.push_str("  - ran: {}\n  - approve: {}\n");
    }
    let definition = crate::config::definition::read(&text, &crate::agents::names(), &[]).unwrap();
    assert_eq!(graph::mermaid(&definition).lines().count(), 1 + 200 * 2 + 199);
    let walked = simulate::pages(&definition, &script).unwrap();
    assert!(walked.contains("== alice (admin) approves [completed]"));
}
