use serde_json::{Value, json};

use super::super::fixtures::{answer, proposed, thread, today};
use super::super::{Amendment, Earlier, Inputs, LeftOut, Problem, ProblemKind, Thread, amend as amend_any, judge};
use super::{AGENT, Origin, Tasks};

const TEXT: &str = "Alice: we need a\nrunbook. <!-- secret order --> Also rate limits, says @bob.";

fn one() -> Thread {
    thread(&[("alice", TEXT), ("bob", "rate limits please")])
}

fn judged(answer: &str, thread: &Thread) -> Result<(Tasks, Vec<String>), Vec<Problem>> {
    let draft = judge(&AGENT, answer, &Inputs::Thread(thread.clone()))?;
    Ok((serde_json::from_value(draft.artifact).unwrap(), draft.notes))
}

fn taken(tasks: &[Value]) -> (Tasks, Vec<String>) {
    judged(&answer(tasks), &one()).unwrap()
}

/// A task whose quote exists, with some fields changed.
fn with(key: &str, title: &str, fields: Value) -> Value {
    let mut task = proposed(key, title, "rate limits");
    for (name, value) in fields.as_object().unwrap() {
        task[name] = value.clone();
    }
    task
}

fn why(tasks: &Tasks) -> Vec<&str> {
    tasks.left_out.iter().map(|omitted| omitted.why.as_str()).collect()
}

#[test]
fn a_quote_must_stand_in_the_comment_that_it_names() {
    for (quote, comment, found) in [
        ("we need a runbook.", 0, true),
        ("we  need a\n\nrunbook.", 0, true),
        ("rate limits please", 100, true),
        ("rate limits please", 0, false),
        ("we need a rundown", 0, false),
        ("we need a runbook", 999, false),
        ("secret order", 0, false),
        ("", 0, false),
        (" \n", 0, false),
        ("a", 0, false),
        ("…", 0, false),
    ] {
        let mut task = proposed("a", "Write it", quote);
        task["sources"][0]["comment_id"] = json!(comment);
        let (tasks, _) = taken(&[task]);
        assert_eq!(tasks.tasks.len(), usize::from(found), "{quote:?} in {comment}");
        assert_eq!(
            why(&tasks).iter().any(|why| why.starts_with("unsupported")),
            !found,
            "{quote:?} in {comment}"
        );
    }
}

#[test]
fn one_false_quote_spoils_the_task_and_none_does_too() {
    let sources = json!([{"comment_id": 0, "quote": "rate limits"}, {"comment_id": 0, "quote": "invented words"}]);
    let (tasks, _) = taken(&[
        with("a", "A", json!({"sources": sources})),
        with("b", "B", json!({"sources": []})),
    ]);
    assert_eq!(tasks.tasks, []);
    assert_eq!(why(&tasks).len(), 2);
}

#[test]
fn a_source_carries_its_author_and_page() {
    let (tasks, notes) = taken(&[proposed("a", "Write it", "we need a runbook")]);
    let source = &tasks.tasks[0].sources[0];
    assert_eq!(
        (source.author.as_str(), source.url.as_str()),
        ("alice", "https://github.test/alice/shop/issues/7#c0")
    );
    assert_eq!(
        notes,
        ["Hidden text was removed before it was read: 1 HTML comment, in one comment."]
    );
}

#[test]
fn assignees_are_people_of_the_thread_or_the_repository() {
    for (proposed, kept) in [
        (json!("bob"), Some("bob")),
        (json!("@CAROL"), Some("Carol")),
        (json!("dave"), Some("dave")),
        (json!("mallory"), None),
        (json!("alice, bob"), None),
        (json!(""), None),
        (json!(null), None),
    ] {
        let (tasks, notes) = taken(&[with("a", "A", json!({"assignee": proposed}))]);
        assert_eq!(tasks.tasks[0].assignee.as_deref(), kept, "{proposed}");
        let word = notes.iter().any(|note| note.contains("no assignee"));
        assert_eq!(
            word,
            kept.is_none() && proposed.as_str().is_some_and(|login| !login.is_empty()),
            "{proposed}: {notes:?}"
        );
    }
}

#[test]
fn labels_exist_and_do_not_work_the_bot() {
    let (tasks, notes) = taken(&[with(
        "a",
        "A",
        json!({"labels": ["docs", "DOCS", "nope", "countersign:approve"]}),
    )]);
    assert_eq!(tasks.tasks[0].labels, ["Docs"]);
    assert!(
        notes.iter().any(|note| note.contains("2 proposed labels are dropped")),
        "{notes:?}"
    );
}

#[test]
fn due_dates_are_dates() {
    for (text, kept) in [
        ("2026-12-01", true),
        ("01.12.2026", false),
        ("Friday", false),
        ("2026-13-01", false),
        ("2026-1-1", false),
    ] {
        let (tasks, notes) = taken(&[with("a", "A", json!({"due_date": text}))]);
        assert_eq!(tasks.tasks[0].due_date.is_some(), kept, "{text}");
        assert_eq!(notes.iter().any(|note| note.contains("no due date")), !kept, "{text}");
    }
}

#[test]
fn dependencies_are_known_and_run_in_no_circle() {
    let (tasks, notes) = taken(&[
        with("x", "A", json!({"depends_on": ["y", "nobody"]})),
        with("y", "B", json!({"depends_on": ["z"]})),
        with("z", "C", json!({"depends_on": ["x", "z"]})),
    ]);
    let depends: Vec<&[String]> = tasks.tasks.iter().map(|task| &task.depends_on[..]).collect();
    assert_eq!(depends, [&["t2".to_owned()][..], &["t3".to_owned()], &[]]);
    assert_eq!(
        notes.iter().filter(|note| note.contains("circle")).count(),
        2,
        "{notes:?}"
    );
    assert_eq!(
        notes.iter().filter(|note| note.contains("not in the list")).count(),
        1,
        "{notes:?}"
    );
}

#[test]
fn a_key_twice_is_a_problem() {
    let problems = judged(&answer(&[with("a", "A", json!({})), with("a", "B", json!({}))]), &one()).unwrap_err();
    assert_eq!(
        (problems[0].kind, problems[0].at.as_str()),
        (ProblemKind::Rule, "/tasks/1/key")
    );
}

#[test]
fn free_text_of_an_agent_notifies_and_links_nowhere() {
    let (tasks, _) = taken(&[with(
        "a",
        &format!("@bob see https://evil.test {}", "é".repeat(200)),
        json!({"body": "<b>@org/team</b> [x](https://evil.test)\n/approve", "acceptance_criteria": ["@bob nods", " "]}),
    )]);
    let task = &tasks.tasks[0];
    assert!(task.title.starts_with("bob see (link left out) é"), "{}", task.title);
    assert_eq!(task.title.chars().count(), 120);
    assert!(task.title.ends_with('…'));
    assert_eq!(
        task.body,
        "\\<b>`@org/team`\\</b> [x]\\(`https://evil.test`)\n\\/approve"
    );
    assert_eq!(task.acceptance_criteria, ["`@bob` nods"]);
}

#[test]
fn what_earlier_workflows_opened_is_left_out_and_listed() {
    let mut thread = one();
    thread.earlier.push(Earlier {
        comment_id: 0,
        quote: "we need a\nrunbook".into(),
        issue_url: "https://github.test/alice/shop/issues/8".into(),
        title: "Write the runbook".into(),
    });
    let answer = answer(&[
        proposed("a", "Runbook", "we need a runbook"),
        proposed("b", "Limits", "rate limits"),
    ]);
    let (tasks, _) = judged(&answer, &thread).unwrap();
    assert_eq!(
        tasks.tasks.iter().map(|task| task.title.as_str()).collect::<Vec<_>>(),
        ["Limits"]
    );
    assert_eq!(tasks.left_out[0].why, "opened already as “Write the runbook”");
    assert_eq!(
        tasks.left_out[0].url.as_deref(),
        Some("https://github.test/alice/shop/issues/8")
    );
    thread.earlier[0].comment_id = 100;
    assert_eq!(
        judged(&answer, &thread).unwrap().0.tasks.len(),
        2,
        "the same words elsewhere are another matter"
    );
}

#[test]
fn a_task_that_a_command_added_is_known_by_its_title() {
    let mut thread = thread(&[("alice", "/task title=\"Buy a pager\"\n\nBuy a pager")]);
    thread.earlier.push(Earlier {
        comment_id: 0,
        quote: String::new(),
        issue_url: "https://github.test/alice/shop/issues/8".into(),
        title: "Buy a pager".into(),
    });
    let (tasks, _) = judged(
        &answer(&[proposed("a", "Buy a Pager", "/task title=\"Buy a pager\"")]),
        &thread,
    )
    .unwrap();
    assert_eq!(why(&tasks), ["opened already as “Buy a pager”"]);
    let (tasks, _) = judged(&answer(&[proposed("a", "Buy a pager", "Buy a pager")]), &thread).unwrap();
    assert_eq!(tasks.tasks.len(), 1, "elsewhere the words count");
}

#[test]
fn hostile_answers_take_no_time() {
    let mut thread = one();
    thread.limits.tasks = 300;
    let keys: Vec<String> = (0..300).map(|number| format!("k{number}")).collect();
    let many: Vec<Value> = keys
        .iter()
        .map(|key| with(key, &format!("Task {key}"), json!({"depends_on": keys})))
        .collect();
    let (tasks, _) = judged(&answer(&many), &thread).unwrap();
    assert!(tasks.tasks.iter().all(|task| task.depends_on.len() <= 20));
    assert_eq!(tasks.cycle(), None);
    assert_eq!(tasks.in_order().len(), 300);
    let flood: Vec<Value> = (0..6_500)
        .map(|number| proposed(&format!("k{number}"), &format!("Task {number}"), "rate limits"))
        .collect();
    assert_eq!(
        judged(&answer(&flood), &thread).unwrap_err()[0].kind,
        ProblemKind::Limit
    );
}

#[test]
fn a_secret_anywhere_keeps_the_task_in_and_is_not_repeated() {
    let secret = ["gh", "p_a8Fk29dLq0ZmXv73TbNe51RwYc64GhJu"].concat();
    let mut leaky = thread(&[("alice", &format!("the token is {secret} ok? mail bob@example.org"))]);
    leaky.private = true;
    for task in [
        proposed("a", &format!("Use {secret}"), "the token is"),
        proposed("a", "Use it", &format!("the token is {secret}")),
        {
            let mut task = proposed("a", "Use it", "the token is");
            task["body"] = json!(secret);
            task
        },
        {
            let mut task = proposed("a", "Use it", "the token is");
            task["acceptance_criteria"] = json!([secret]);
            task
        },
        {
            let mut task = proposed("a", "Use it", "the token is");
            task["labels"] = json!([secret]);
            task
        },
    ] {
        let draft = judge(&AGENT, &answer(&[task]), &Inputs::Thread(leaky.clone())).unwrap();
        let shown = serde_json::to_string(&draft).unwrap();
        assert!(!shown.contains(&secret), "{shown}");
        assert!(shown.contains("it holds a GitHub token"), "{shown}");
        assert_eq!(draft.acts, []);
    }
    let (tasks, _) = judged(&answer(&[proposed("a", "Mail", "mail bob@example.org")]), &leaky).unwrap();
    assert_eq!(why(&tasks), ["it holds an e-mail address"]);
}

#[test]
fn remarks_and_questions_are_checked_too() {
    let secret = ["AK", "IAIOSFODNN7ABCDEFG"].concat();
    let thread = thread(&[("alice", &format!("done: the docs. key {secret}"))]);
    let answer = json!({
        "tasks": [],
        "rejected": [
            {"comment_id": 0, "quote": "done: the docs.", "reason": "already_done"},
            {"comment_id": 0, "quote": secret, "reason": "unclear"},
            {"comment_id": 0, "quote": "@evil invented", "reason": "unclear"},
        ],
        "questions": ["Who is @bob?", format!("Is it {secret}?"), ""],
    });
    let (tasks, notes) = judged(&answer.to_string(), &thread).unwrap();
    assert_eq!(tasks.left_out.len(), 2);
    assert_eq!(
        (tasks.left_out[0].what.as_str(), tasks.left_out[0].why.as_str()),
        ("done: the docs.", "already done")
    );
    assert_eq!(tasks.left_out[1].what, "a sentence with a cloud access key, not shown");
    assert_eq!(tasks.questions, ["Who is bob?"]);
    assert!(notes.iter().any(|note| note.starts_with("1 remark(s)")), "{notes:?}");
}

#[test]
fn more_than_the_limit_asks_for_the_limit() {
    let mut thread = one();
    thread.limits.tasks = 2;
    let many: Vec<Value> = (0..3)
        .map(|number| proposed(&format!("k{number}"), &format!("Task {number}"), "rate limits"))
        .collect();
    let problems = judged(&answer(&many), &thread).unwrap_err();
    assert_eq!(problems[0].kind, ProblemKind::Limit);
    assert!(
        problems[0].text.contains("3 tasks and at most 2") && problems[0].text.contains("limits.tasks"),
        "{}",
        problems[0]
    );
    assert_eq!(judged(&answer(&many[..2]), &thread).unwrap().0.tasks.len(), 2);
}

#[test]
fn twins_are_one() {
    let (tasks, _) = taken(&[
        with("a", "Same", json!({})),
        with("b", "same", json!({})),
        with("c", "Same", json!({"assignee": "bob"})),
    ]);
    assert_eq!(tasks.tasks.len(), 2);
    assert_eq!(why(&tasks), ["the same as `t1`"]);
}

#[test]
fn what_was_not_read_is_said() {
    let mut thread = one();
    thread.left_out.push(LeftOut {
        author: "mallory".into(),
        url: "https://github.test/x".into(),
        why: "edited after the command".into(),
    });
    let (tasks, _) = judged(&answer(&[]), &thread).unwrap();
    assert_eq!(
        (tasks.left_out[0].what.as_str(), why(&tasks)[0]),
        ("a comment by mallory", "edited after the command")
    );
}

// Edits.

fn base() -> Tasks {
    taken(&[
        with("a", "First", json!({})),
        with("b", "Second", json!({"depends_on": ["a"]})),
    ])
    .0
}

fn change(key: &str, fields: &[(&str, &str)]) -> Amendment {
    let fields = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Amendment::Change {
        key: key.into(),
        fields,
    }
}

fn amended(amendment: &Amendment) -> Result<Tasks, String> {
    super::amend(&base(), amendment, &one())
}

#[test]
fn every_field_can_be_changed_and_cleared() {
    let all = [
        ("title", "New  title"),
        ("body", "say @bob [x](https://ok.test)"),
        ("assignee", "@CAROL"),
        ("labels", "docs, brand new"),
        ("priority", "HIGH"),
        ("estimate", "xl"),
        ("due", "2026-11-20"),
        ("criteria", "- [ ] one; two\n* three"),
        ("depends", "T2"),
    ];
    let mut tasks = super::amend(&base(), &change("t2", &[("depends", "none")]), &one()).unwrap();
    tasks = super::amend(&tasks, &change("T1 ", &all), &one()).unwrap();
    let task = serde_json::to_value(&tasks.tasks[0]).unwrap();
    assert_eq!(task["key"], "t1");
    assert_eq!(task["title"], "New title");
    assert_eq!(task["body"], "say `@bob` [x](https://ok.test)");
    assert_eq!(task["assignee"], "Carol");
    assert_eq!(task["labels"], json!(["Docs", "brand new"]));
    assert_eq!((&task["priority"], &task["estimate"]), (&json!("high"), &json!("XL")));
    assert_eq!(task["due_date"], json!(today()));
    assert_eq!(task["acceptance_criteria"], json!(["one", "two", "three"]));
    assert_eq!(task["depends_on"], json!(["t2"]));
    let clear = ["assign", "labels", "priority", "est", "due", "criteria", "depends"].map(|name| (name, "none"));
    let cleared = super::amend(&tasks, &change("t1", &clear), &one())
        .unwrap()
        .tasks
        .remove(0);
    assert_eq!(
        (cleared.assignee, cleared.priority, cleared.estimate, cleared.due_date),
        (None, None, None, None)
    );
    assert!(cleared.labels.is_empty() && cleared.acceptance_criteria.is_empty() && cleared.depends_on.is_empty());
}

#[test]
fn an_edit_that_does_not_fit_gets_a_sentence() {
    let secret = ["gh", "p_a8Fk29dLq0ZmXv73TbNe51RwYc64GhJu"].concat();
    for (amendment, sentence) in [
        (change("t9", &[("title", "x")]), "there is no task `t9`"),
        (change("t1", &[("titel", "x")]), "did you mean `title`?"),
        (change("t1", &[("zzz", "x")]), "has no field `zzz`"),
        (change("t1", &[]), "nothing to change"),
        (change("t1", &[("title", " ")]), "a title cannot be empty"),
        (change("t1", &[("assign", "bop")]), "did you mean `bob`?"),
        (
            change("t1", &[("assign", "mallory")]),
            "neither in this thread nor assignable",
        ),
        (change("t1", &[("due", "Friday")]), "a date like 2026-12-01"),
        (
            change("t1", &[("priority", "now")]),
            "one of low, medium, high, critical",
        ),
        (change("t1", &[("est", "3d")]), "one of XS, S, M, L, XL"),
        (change("t1", &[("depends", "t2")]), "circle"),
        (change("t1", &[("depends", "t1")]), "cannot wait for itself"),
        (change("t1", &[("depends", "t7")]), "there is no task `t7`"),
        (change("t1", &[("labels", "countersign:approve")]), "works the bot"),
        (change("t1", &[("labels", &"x".repeat(51))]), "cannot be a label"),
        (change("t1", &[("body", &secret)]), "holds a GitHub token"),
        (
            change("t1", &[("criteria", "mail bob@example.org")]),
            "holds an e-mail address",
        ),
        (
            Amendment::Select {
                key: "x".into(),
                on: true,
            },
            "there is no task `x`",
        ),
        (
            Amendment::Add {
                fields: vec![("body".into(), "x".into())],
                by: "bob".into(),
            },
            "needs a title",
        ),
        (Amendment::Replace("no".into()), "no JSON object"),
        (Amendment::Replace("{\"tasks\": 1}".into()), "not a list of tasks"),
    ] {
        let error = amended(&amendment).unwrap_err();
        assert!(error.contains(sentence), "{amendment:?}: {error}");
        assert!(!error.contains(&secret), "{error}");
    }
}

#[test]
fn people_add_tasks_within_the_limit_and_keys_are_never_given_twice() {
    let add = Amendment::Add {
        fields: vec![("title".into(), "Third".into()), ("depends".into(), "t1".into())],
        by: "Carol".into(),
    };
    let tasks = amended(&add).unwrap();
    let task = &tasks.tasks[2];
    assert_eq!(
        (task.key.as_str(), &task.origin),
        ("t3", &Origin::Person { login: "Carol".into() })
    );
    assert!(task.selected && task.sources.is_empty());

    let mut without: Value = serde_json::to_value(&tasks).unwrap();
    without["tasks"].as_array_mut().unwrap().pop();
    let shorter = super::amend(&tasks, &Amendment::Replace(without.to_string()), &one()).unwrap();
    assert_eq!(shorter.left_out.last().unwrap().why, "`t3` was taken out by an edit");
    assert_eq!(super::amend(&shorter, &add, &one()).unwrap().tasks[2].key, "t4");

    let mut full = one();
    full.limits.tasks = 2;
    assert!(super::amend(&base(), &add, &full).unwrap_err().contains("limits.tasks"));
}

#[test]
fn ticks_select() {
    let off = amended(&Amendment::Select {
        key: "t1".into(),
        on: false,
    })
    .unwrap();
    assert!(!off.tasks[0].selected && off.tasks[1].selected);
    let on = super::amend(
        &off,
        &Amendment::Select {
            key: "t1".into(),
            on: true,
        },
        &one(),
    )
    .unwrap();
    assert_eq!(on, base());
}

#[test]
fn the_whole_list_can_be_replaced_but_not_its_evidence() {
    let old = serde_json::to_value(base()).unwrap();
    let replace = |change: fn(&mut Value)| {
        let mut value = old.clone();
        change(&mut value);
        amended(&Amendment::Replace(format!("```json\n{value:#}\n```")))
    };
    assert_eq!(replace(|_| {}).unwrap(), base());
    let edited = replace(|value| {
        value["tasks"][0]["title"] = json!("@bob  edits");
        value["tasks"][1]["selected"] = json!(false);
        value["questions"] = json!(["forged"]);
        value["left_out"] = json!([]);
        value["last_key"] = json!(0);
    })
    .unwrap();
    assert_eq!(
        (edited.tasks[0].title.as_str(), edited.tasks[1].selected),
        ("bob edits", false)
    );
    assert_eq!((edited.questions.len(), edited.last_key), (0, 2));
    let swapped = replace(|value| value["tasks"].as_array_mut().unwrap().swap(0, 1)).unwrap();
    assert_eq!(swapped.tasks[0].key, "t2");
    for (change, sentence) in [
        (
            (|value| value["tasks"][0]["sources"][0]["quote"] = json!("forged")) as fn(&mut Value),
            "evidence",
        ),
        (
            |value| value["tasks"][0]["origin"] = json!({"person": {"login": "x"}}),
            "evidence",
        ),
        (|value| value["tasks"][0]["key"] = json!("t7"), "add one with `/task`"),
        (|value| value["tasks"][1]["key"] = json!("t1"), "stands there twice"),
        (|value| value["tasks"][0]["title"] = json!(" "), "has no title"),
        (
            |value| value["tasks"][0]["assignee"] = json!("mallory"),
            "neither in this thread",
        ),
        (|value| value["tasks"][0]["depends_on"] = json!(["t2"]), "circle"),
        (
            |value| value["tasks"][0]["labels"] = json!(["countersign:hold"]),
            "works the bot",
        ),
        (
            |value| value["tasks"][0]["body"] = json!("password=hunter22"),
            "a password or key",
        ),
        (
            |value| value["tasks"][0]["surprise"] = json!(1),
            "unknown field `surprise`",
        ),
    ] {
        let error = replace(change).unwrap_err();
        assert!(error.contains(sentence), "{sentence}: {error}");
    }
}

#[test]
fn any_edit_of_the_record_gives_new_acts() {
    let artifact = serde_json::to_value(base()).unwrap();
    let inputs = Inputs::Thread(one());
    let draft = amend_any(&AGENT, &artifact, &change("t1", &[("title", "Renamed")]), &inputs).unwrap();
    assert!(serde_json::to_string(&draft.acts).unwrap().contains("Renamed"));
    assert!(amend_any(&AGENT, &json!({"no": 1}), &change("t1", &[("title", "x")]), &inputs).is_err());
}
