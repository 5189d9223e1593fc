use serde_json::json;

use super::super::extract::Tasks;
use super::super::fixtures::{answer, proposed, thread};
use super::super::{Inputs, Thread, extract, judge};
use super::{Plan, plan};
use crate::workflow::act::{ActKey, Deed};
use crate::workflow::state::SubjectKind;

fn tasks(thread: &Thread) -> Tasks {
    let mut first = proposed("a", "Deploy it", "deploy @carol `x`");
    first["depends_on"] = json!(["b"]);
    let mut second = proposed("b", "Write the runbook", "we write <b>a</b>\nrunbook");
    second["sources"][0]["quote"] = json!("we write a runbook");
    second["body"] = json!("It is for @bob.");
    second["acceptance_criteria"] = json!(["it exists"]);
    second["assignee"] = json!("bob");
    second["labels"] = json!(["docs"]);
    second["priority"] = json!("high");
    second["estimate"] = json!("S");
    second["due_date"] = json!("2026-12-01");
    let draft = judge(
        &extract::AGENT,
        &answer(&[first, second]),
        &Inputs::Thread(thread.clone()),
    )
    .unwrap();
    serde_json::from_value(draft.artifact).unwrap()
}

fn shop() -> Thread {
    thread(&[("alice", "we write <b>a</b>\nrunbook, then deploy @carol `x` it")])
}

fn keys(plan: &Plan) -> Vec<&str> {
    plan.acts.iter().map(|act| act.key.0.as_str()).collect()
}

fn issue<'a>(plan: &'a Plan, key: &str) -> (&'a str, &'a [String], &'a [String]) {
    let act = plan.acts.iter().find(|act| act.key.0 == key).unwrap();
    match &act.deed {
        Deed::OpenIssue {
            body,
            labels,
            assignees,
            ..
        } => (body, labels, assignees),
        other => panic!("{other:?}"),
    }
}

#[test]
fn issues_are_opened_in_the_order_of_their_dependencies() {
    let thread = shop();
    let plan = plan(&tasks(&thread), &thread);
    assert_eq!(
        keys(&plan),
        [
            "label:countersign",
            "issue:t2",
            "link:t2",
            "issue:t1",
            "link:t1",
            "blocked:t1:t2",
            "unlinked"
        ]
    );
    assert_eq!(plan.notes, Vec::<String>::new());
    let blocked = &plan.acts[5].deed;
    assert_eq!(
        *blocked,
        Deed::LinkBlockedBy {
            issue: super::issue_key("t1"),
            blocked_by: super::issue_key("t2")
        }
    );
}

#[test]
fn what_comes_of_a_discussion_stands_under_one_issue_that_tracks_it() {
    let mut thread = shop();
    thread.kind = SubjectKind::Discussion;
    thread.title = "Ask @everybody".into();
    let plan = plan(&tasks(&thread), &thread);
    assert_eq!(
        keys(&plan)[..4],
        ["label:countersign", "tracking", "issue:t2", "link:t2"]
    );
    let Deed::OpenIssue {
        title, body, labels, ..
    } = &plan.acts[1].deed
    else {
        panic!("an issue")
    };
    assert!(title.starts_with("Ask ") && !title.contains(" @e"), "{title}");
    assert!(body.contains("(https://github.test/alice/shop/issues/7)"), "{body}");
    assert_eq!(labels, &["countersign"]);
    let parent = Some(ActKey::tracking());
    let child = super::issue_key("t2");
    assert_eq!(plan.acts[3].deed, Deed::LinkSubIssue { child, parent });
}

#[test]
fn the_body_says_what_was_agreed_and_where() {
    let thread = shop();
    let plan = plan(&tasks(&thread), &thread);
    let (body, labels, assignees) = issue(&plan, "issue:t2");
    assert_eq!(
        body,
        "It is for `@bob`.\n\n\
         ### Acceptance criteria\n\n- [ ] it exists\n\n\
         | Priority | Estimate | Due |\n| --- | --- | --- |\n| high | S | 2026-12-01 |\n\n\
         ### From the discussion\n\n> we write a runbook\n\nalice in [the first text](https://github.test/alice/shop/issues/7#c0)\n\n\
         ---\n\
         Proposed by Countersign in [alice/shop#7](https://github.test/alice/shop/issues/7), approved by people there."
    );
    assert_eq!(
        (labels, assignees),
        (
            &["Docs".to_owned(), "countersign".to_owned()][..],
            &["bob".to_owned()][..]
        )
    );
    let (body, ..) = issue(&plan, "issue:t1");
    assert!(
        body.starts_with("### From the discussion\n\n> deploy `@carol` `x`"),
        "{body}"
    );
}

#[test]
fn what_is_not_selected_is_not_opened_and_not_waited_for() {
    let thread = shop();
    let mut tasks = tasks(&thread);
    tasks.tasks[1].selected = false;
    let plan = plan(&tasks, &thread);
    assert_eq!(keys(&plan), ["label:countersign", "issue:t1", "link:t1", "unlinked"]);
    assert_eq!(
        plan.notes,
        ["`t1` waits for `t2`, which is not selected: it is opened without that link"]
    );
    tasks.tasks[0].selected = false;
    let plan = super::plan(&tasks, &thread);
    assert_eq!((plan.acts.len(), plan.notes.len()), (0, 0));
}

#[test]
fn labels_are_created_only_when_missing_and_once() {
    let mut thread = shop();
    thread.labels.push("Countersign".into());
    let mut tasks = tasks(&thread);
    tasks.tasks[0].labels = vec!["brand new".into()];
    tasks.tasks[1].labels = vec!["Brand New".into(), "bug".into()];
    let plan = plan(&tasks, &thread);
    assert_eq!(keys(&plan)[0], "label:Brand New");
    assert_eq!(keys(&plan).iter().filter(|key| key.starts_with("label:")).count(), 1);
    assert_eq!(issue(&plan, "issue:t1").1, ["brand new", "Countersign"]);
}

#[test]
fn a_body_never_exceeds_what_github_takes() {
    let thread = shop();
    let mut tasks = tasks(&thread);
    tasks.tasks[1].body = "\\< ".repeat(40_000);
    tasks.tasks[1].acceptance_criteria = vec!["`@x` ".repeat(50); 30];
    let plan = plan(&tasks, &thread);
    let (body, ..) = issue(&plan, "issue:t2");
    assert!(body.chars().count() < 65_000, "{}", body.chars().count());
    assert!(body.ends_with("approved by people there."), "the footer stays");
}

#[test]
fn hostile_quotes_stay_inside_their_block() {
    let text = "```\n@carol\n\n# Big\n\n- [ ] box <!-- x --> end";
    let thread = thread(&[("mallory", text)]);
    let answer = answer(&[proposed("a", "A", "``` @carol # Big - [ ] box")]);
    let draft = judge(&extract::AGENT, &answer, &Inputs::Thread(thread.clone())).unwrap();
    let body = serde_json::to_string(&draft.acts).unwrap();
    assert!(body.contains("> \\\\`\\\\`\\\\` `@carol` # Big - [ ] box"), "{body}");
}
