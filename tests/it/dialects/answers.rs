//! The agents' own prompts, through the client, to the script and back: its answers pass the agents' own checks.

use countersign::agents::{self, Agent, Draft, Inputs};

use super::*;

fn thread() -> Inputs {
    serde_json::from_value(json!({
        "inputs": "thread",
        "repository": "alice/shop",
        "number": 7,
        "title": "Login is slow",
        "url": "https://github.test/alice/shop/issues/7",
        "private": false,
        "entries": [
            { "comment_id": 0, "author": "alice", "url": "https://github.test/c0", "created_at": "2026-11-20T12:00:00Z",
              "text": "Notes of today.\nI will write the runbook. It is overdue." },
            { "comment_id": 100, "author": "bob", "url": "https://github.test/c100", "created_at": "2026-11-20T12:00:00Z",
              "text": "@alice will limit `logins` & retries.\nSee you & thanks." },
        ],
        "left_out": [],
        "participants": ["alice", "bob"],
        "assignable": null,
        "labels": [],
        "today": "2026-11-20",
        "earlier": [],
        "steer": [],
        "limits": { "tasks": 50 },
    }))
    .unwrap()
}

fn mailing() -> Inputs {
    serde_json::from_value(json!({
        "inputs": "mailing",
        "repository": "alice/shop",
        "number": 7,
        "title": "Login is slow",
        "url": "https://github.test/alice/shop/issues/7",
        "tasks": [
            { "key": "t1", "title": "Write the runbook", "number": 8, "url": "https://github.test/8",
              "assignee": "alice", "due_date": "2026-11-27", "priority": null },
            { "key": "t2", "title": "Limit logins", "number": 9, "url": "https://github.test/9",
              "assignee": null, "due_date": null, "priority": null },
        ],
        "to": ["team@example.org"],
        "cc": [],
        "steer": [],
        "today": "2026-11-20",
        "private": false,
    }))
    .unwrap()
}

async fn proposed(agent: &Agent, inputs: &Inputs, dialect: Dialect, mode: StructuredOutput) -> Draft {
    let pair = Pair::start().await;
    let prompt = agents::prompt(agent, inputs).unwrap();
    let schema = agent.schema_value();
    let turns = [Turn::User(prompt.user)];
    let question = Question {
        system: &prompt.system,
        turns: &turns,
        schema_name: &agent.schema_name,
        schema: &schema,
    };
    let completion = pair.client.ask(&pair.endpoint(dialect, mode), &question).await.unwrap();
    agents::judge(agent, &completion.text, inputs).unwrap_or_else(|problems| panic!("{problems:?} {}", completion.text))
}

#[tokio::test]
async fn the_scripts_answers_pass_the_agents_checks_in_every_dialect_and_mode() {
    let (extract, email) = (agents::find("extract").unwrap(), agents::find("email").unwrap());
    for dialect in DIALECTS {
        for mode in MODES {
            let draft = proposed(extract, &thread(), dialect, mode).await;
            let titles: Vec<_> = draft.artifact["tasks"]
                .as_array()
                .unwrap()
                .iter()
                .map(|task| task["title"].as_str().unwrap())
                .collect();
            assert_eq!(
                titles,
                ["Write the runbook", "Limit `logins` & retries"],
                "{:?}",
                draft.notes
            );
            let draft = proposed(email, &mailing(), dialect, mode).await;
            assert_eq!(draft.acts.len(), 1, "{:?}", draft.notes);
        }
    }
}
