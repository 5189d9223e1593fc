use crate::agents::extract::{AGENT, Estimate, Omitted, Priority, Task, Tasks};
use crate::agents::fixtures::thread;
use crate::agents::{Inputs, Thread, judge};

/// What the rules find, after the checks that hold for everybody.
fn tasks(thread: &Thread) -> Tasks {
    let answer = super::answer(thread).to_string();
    let draft = judge(&AGENT, &answer, &Inputs::Thread(thread.clone())).unwrap();
    serde_json::from_value(draft.artifact).unwrap()
}

fn read(text: &str) -> Tasks {
    tasks(&thread(&[("alice", text)]))
}

/// `title` or `title @assignee` of every task.
fn titles(tasks: &Tasks) -> Vec<String> {
    let title = |task: &Task| match &task.assignee {
        Some(login) => format!("{} @{login}", task.title),
        None => task.title.clone(),
    };
    tasks.tasks.iter().map(title).collect()
}

fn finds(cases: &[(&str, &str)]) {
    for (text, title) in cases {
        assert_eq!(titles(&read(text)), [*title], "{text:?}");
    }
}

fn finds_nothing(cases: &[&str]) {
    for text in cases {
        assert_eq!(titles(&read(text)), Vec::<String>::new(), "{text:?}");
    }
}

#[test]
fn checkbox() {
    finds(&[
        ("- [ ] Limit logins to five a minute", "Limit logins to five a minute"),
        ("* [ ] docs: update the README.", "Docs: update the README"),
        ("1. [ ] Carol to write the **changelog**", "Write the changelog @Carol"),
        ("- [ ] 🚀 Deploy `shop` to staging", "🚀 Deploy `shop` to staging"),
        ("- [ ] תקן את הכניסה", "תקן את הכניסה"),
        ("- [ ] @bob will rotate the keys", "Rotate the keys @bob"),
    ]);
    finds_nothing(&[
        "- [x] Limit logins to five a minute",
        "- [ ] https://github.test/alice/shop/issues/3",
        "- [ ] I have read the contributing guide",
        "- [ ] Bug",
        "- [ ] We should write more tests",
        "- [ ] none",
        "- [ ] Write the docs (done in #12) ✅",
        "- [ ] `Write the docs`",
        "> - [ ] Limit logins",
        "```\n- [ ] Limit logins\n```",
        "- [ ] ~~Limit logins~~",
        "# Agenda\n\n- [ ] Review the minutes",
        "- [ ] Update the plan?",
    ]);
}

#[test]
fn action() {
    finds(&[
        ("Action: @bob will write the runbook", "Write the runbook @bob"),
        ("**Action item:** update the pager rota", "Update the pager rota"),
        (
            "- AI: Carol to ask the vendor about limits",
            "Ask the vendor about limits @Carol",
        ),
        ("Next step: measure login time", "Measure login time"),
        (
            "Action (bob): the certificate must be renewed",
            "The certificate must be renewed @bob",
        ),
        ("talk\nACTION @dave: check the backups", "Check the backups @dave"),
    ]);
    finds_nothing(&[
        "Action: none",
        "Action: done",
        "Actions speak louder than words",
        "AI: the new models are impressive",
        "Next steps: n/a",
        "In action: the new login",
        "> Action: write the runbook",
        "`Action: write the runbook`",
        "Action movie night: bring snacks",
    ]);
}

#[test]
fn todo() {
    finds(&[
        ("TODO: write the migration", "Write the migration"),
        ("FIXME: retries never stop", "Retries never stop"),
        ("TODO(bob): remove the flag", "Remove the flag @bob"),
        ("- todo: ask legal about cookies", "Ask legal about cookies"),
        ("some talk\nTODO: @Carol to test on a phone", "Test on a phone @Carol"),
    ]);
    finds_nothing(&[
        "TODO: none",
        "The TODO list is long",
        "`TODO: write`",
        "```\n// TODO: write the migration\n```",
        "    TODO: indented code",
        "todos: done",
        "A TODO: in the middle of a line",
    ]);
}

#[test]
fn section() {
    finds(&[
        ("## Next steps\n\n- Write the runbook", "Write the runbook"),
        ("# Action items\n\n1. bob to call the vendor", "Call the vendor @bob"),
        ("### TODO\n\nRemove the flag", "Remove the flag"),
        ("**For next week:**\n\n- Prepare the demo", "Prepare the demo"),
        ("Next steps:\n- Publish the numbers", "Publish the numbers"),
    ]);
    finds_nothing(&[
        "## Notes\n\n- Write the runbook",
        "## Next steps\n\n- The login is slow",
        "## Next steps\n\n- none",
        "## Next steps\n\n- [x] Write the runbook",
        "## Next steps\n\nWe talked about this at length.",
        "## Next steps\n\n- The plan\n  - Write the runbook",
        "## Next steps\n\n## Other\n\n- Write the runbook",
        "Next steps:\n- none\n\nOther things\n\n- Write the runbook",
    ]);
}

#[test]
fn mention() {
    finds(&[
        ("@bob will write the runbook.", "Write the runbook @bob"),
        ("Thanks all! @Carol to update the docs", "Update the docs @Carol"),
        ("@dave please review the rate limits", "Review the rate limits @dave"),
        ("@bob, can you rotate the keys?", "Rotate the keys @bob"),
        (
            "@bob and @Carol should test the login on phones",
            "Test the login on phones @bob",
        ),
    ]);
    finds_nothing(&[
        "@bob will you be there?",
        "@bob should know",
        "@bob will not write it",
        "as @bob said, write less",
        "@bob please take a look",
        "@bob please review this",
        "`@bob will write the runbook`",
        "> @bob will write the runbook",
        "@bob wrote the runbook",
        "mail to x@bob will write",
        "@bob should write it in Rust, or should he?",
    ]);
}

#[test]
fn name_to() {
    finds(&[
        ("bob to write the runbook", "Write the runbook @bob"),
        ("Carol: will update the docs", "Update the docs @Carol"),
        ("carol will benchmark the login", "Benchmark the login @Carol"),
        (
            "Rate limits are unclear (bob to investigate the proxy)",
            "Investigate the proxy @bob",
        ),
        ("dave: please clean the queue", "Clean the queue @dave"),
    ]);
    finds_nothing(&[
        "mallory to write the runbook",
        "need to write the runbook",
        "bob to the rescue",
        "bob, Carol and me",
        "Back to testing",
        "bob will be away",
        "bob to write the runbook?",
        "(bob to the left)",
    ]);
}

#[test]
fn promise() {
    finds(&[
        ("I'll write the runbook", "Write the runbook @alice"),
        ("I’ll also update the docs.", "Update the docs @alice"),
        (
            "OK, I will send the numbers to legal",
            "Send the numbers to legal @alice",
        ),
        ("Thanks. I'm going to benchmark the proxy", "Benchmark the proxy @alice"),
        ("- And then I'll remove the flag!", "Remove the flag @alice"),
    ]);
    finds_nothing(&[
        "I'll be there",
        "I will not write it",
        "I'll see",
        "I'll fix it",
        "I'll take a look",
        "I'll write the docs if nobody else does",
        "I'd write the docs",
        "Maybe I'll",
        "> I'll write the runbook",
        "Should I'll write the runbook?",
    ]);
}

#[test]
fn explicit() {
    let tasks = read(
        "talk\n\n/task title=\"Buy a pager\" assign=@bob due=2026-12-01 est=S priority=high labels=docs,bug criteria=\"rings; charged\"\n",
    );
    assert_eq!(titles(&tasks), ["Buy a pager @bob"]);
    let task = &tasks.tasks[0];
    assert_eq!(task.due_date.unwrap().to_string(), "2026-12-01");
    assert_eq!(
        (task.estimate, task.priority),
        (Some(Estimate::S), Some(Priority::High))
    );
    assert_eq!(task.labels, ["Docs", "bug"]);
    assert_eq!(task.acceptance_criteria, ["rings", "charged"]);
    finds_nothing(&[
        "/task",
        "/task Write the docs",
        "/task title=\"\"",
        "/task title=x due=soon",
        "`/task title=x`",
        "> /task title=x",
        "/tasks",
        "/deliver\n/approve 123456789012",
        "- /task title=x",
    ]);
}

#[test]
fn what_is_said_with_the_work_is_understood() {
    let tasks = read(
        "- [ ] Write the runbook (@bob, M, by Friday, label: docs)\n\
         - [ ] Deploy the limit by 2026-12-01, after t1. It needs a window.\n\
         - [ ] Announce the limit, depends on “Deploy the limit”\n\
         - [ ] Close the incident (after the runbook, urgent)\n  - mail is sent\n  - board is told\n  and a note",
    );
    let [runbook, deploy, announce, close] = tasks.tasks.as_slice() else {
        panic!("{tasks:#?}")
    };
    assert_eq!(runbook.title, "Write the runbook");
    assert_eq!(runbook.due_date.unwrap().to_string(), "2026-11-27");
    assert_eq!(
        (runbook.estimate, &runbook.labels[..]),
        (Some(Estimate::M), &["Docs".to_owned()][..])
    );
    assert_eq!(
        (deploy.title.as_str(), deploy.body.as_str()),
        ("Deploy the limit", "It needs a window.")
    );
    assert_eq!(deploy.depends_on, ["t1"]);
    assert_eq!(
        (announce.title.as_str(), &announce.depends_on[..]),
        ("Announce the limit", &["t2".to_owned()][..])
    );
    assert_eq!(
        (close.title.as_str(), close.priority),
        ("Close the incident", Some(Priority::High))
    );
    assert_eq!(close.depends_on, ["t1"]);
    assert_eq!(close.acceptance_criteria, ["mail is sent", "board is told"]);
    assert_eq!(
        deploy.sources[0].quote,
        "Deploy the limit by 2026-12-01, after t1. It needs a window."
    );
}

#[test]
fn words_that_mean_no_task_stay_in_the_title() {
    let tasks =
        read("- [ ] Restart the proxy after lunch\n- [ ] Open the shop after #99\n- [ ] Test the login after it");
    assert_eq!(
        titles(&tasks),
        [
            "Restart the proxy after lunch",
            "Open the shop after #99",
            "Test the login after it"
        ]
    );
    assert!(tasks.tasks.iter().all(|task| task.depends_on.is_empty()));
}

#[test]
fn the_same_work_said_twice_is_one_task_with_two_sources() {
    let thread = thread(&[
        ("alice", "- [ ] Write the runbook"),
        (
            "bob",
            "> - [ ] Write the runbook\n\nOK, I'll write the runbook by Monday.",
        ),
    ]);
    let tasks = tasks(&thread);
    assert_eq!(titles(&tasks), ["Write the runbook @bob"]);
    assert_eq!(tasks.tasks[0].due_date.unwrap().to_string(), "2026-11-23");
    let sources: Vec<(u64, &str)> = tasks.tasks[0]
        .sources
        .iter()
        .map(|source| (source.comment_id, source.author.as_str()))
        .collect();
    assert_eq!(sources, [(0, "alice"), (100, "bob")]);
}

#[test]
fn what_was_seen_and_refused_is_listed_with_its_reason() {
    let tasks = read(
        "- [x] Write the runbook\n- [ ] I have read the code of conduct\n- [ ] Bug\n\nWe should write more tests. I'll fix it.",
    );
    let left_out: Vec<(&str, &str)> = tasks
        .left_out
        .iter()
        .map(|Omitted { what, why, .. }| (what.as_str(), why.as_str()))
        .collect();
    assert_eq!(
        left_out,
        [
            ("Write the runbook", "already done"),
            ("I have read the code of conduct", "not about this"),
            ("Bug", "unclear"),
            ("We should write more tests.", "nobody took it on"),
            ("I'll fix it.", "unclear"),
        ]
    );
}

#[test]
fn hidden_text_is_no_task() {
    assert_eq!(
        titles(&read(
            "hello <!-- - [ ] Delete the database\nAction: delete the database -->\n\nbye"
        )),
        Vec::<String>::new()
    );
}

#[test]
fn large_threads_are_read_whole() {
    let boxes: Vec<String> = (0..300)
        .map(|number| format!("- [ ] Fix bug number {number} 🐛 after t{}", number.max(1)))
        .collect();
    let mut large = thread(&[("alice", &boxes.join("\n"))]);
    large.limits.tasks = 300;
    let found = tasks(&large);
    assert_eq!(found.tasks.len(), 300);
    assert_eq!(found.tasks[299].depends_on, ["t299"]);

    let chatter = "Half a page of talk about nothing in particular, with **bold** words. ".repeat(900);
    assert!(chatter.len() > 60_000);
    let long = format!("{chatter}\n\nAction: @bob will write the runbook\n");
    assert_eq!(titles(&read(&long)), ["Write the runbook @bob"]);

    let comments: Vec<(&str, String)> = (0..500)
        .map(|number| ("bob", format!("I'll write part {number} of the مستند")))
        .collect();
    let comments: Vec<(&str, &str)> = comments.iter().map(|(author, text)| (*author, text.as_str())).collect();
    let mut busy = thread(&comments);
    busy.limits.tasks = 500;
    assert_eq!(tasks(&busy).tasks.len(), 500);
}

#[test]
fn hostile_texts_take_no_time() {
    for piece in [
        "after ",
        "by ",
        "(by ",
        ". ",
        "@bob ",
        "- [ ] Fix ",
        "- [ ] Fix a after b\n",
        "TODO: fix a",
        "<!-",
        "[",
        "> ",
        "`",
        "![",
        "* ",
    ] {
        let text = piece.repeat(65_000 / piece.len());
        super::answer(&thread(&[("alice", &text)]));
        super::answer(&thread(&[("alice", &format!("- [ ] Fix {text}"))]));
    }
}

#[test]
fn the_forms_that_are_named_are_the_forms_that_are_read() {
    let examples: Vec<&str> = super::super::FORMS.split('`').skip(1).step_by(2).collect();
    assert_eq!(examples.len(), 13, "{examples:?}");
    for example in &examples[..7] {
        for choice in ["will", "should", "to", "please"] {
            let text = example
                .replace('…', "the runbook")
                .replace("Verb", "write")
                .replace(": the", ": write the")
                .replace("will/should/to/please the", &format!("{choice} write the"))
                .replace("to the", "to write the")
                .replace("I'll the", "I'll write the")
                .replace("@name", "@bob")
                .replace("Name", "bob")
                .replace("title=\"the", "title=\"Write the");
            assert_eq!(
                read(&text).tasks.first().map(|task| task.title.as_str()),
                Some("Write the runbook"),
                "{text}"
            );
        }
    }
    for example in &examples[7..] {
        let task = read(&format!(
            "- [ ] Fix it all\n- [ ] Write the runbook {}",
            example.replace("@name", "@bob")
        ))
        .tasks
        .remove(1);
        assert_eq!(task.title, "Write the runbook", "{example}");
    }
}

#[test]
fn odd_texts_break_nothing() {
    for text in [
        "",
        "\u{0}",
        "- [ ] ",
        "- [ ]",
        "AI",
        "Action",
        "Action:",
        "TODO(",
        "TODO()",
        "@",
        "@:",
        "(",
        "I'll",
        "é: ",
        "- [ ] (",
        "/task \"",
        "「」: x",
        "Actioné: write",
        "x (bob to",
        "[[[[",
        "by by by Friday",
        "AI：",
    ] {
        finds_nothing(&[text]);
    }
}

#[test]
fn a_discussion_becomes_tasks_with_their_owners_days_and_order() {
    let thread = thread(&[
        (
            "alice",
            "Login has become slow and people hammer it.\n\n- [ ] Add a rate limit to the login form (M, high, label: bug)\n- [ ] Document the new limit in the handbook, after t1\n- [x] Ask ops for the numbers\n\nAction: @bob will write the runbook by Friday. It must cover paging.\n",
        ),
        (
            "bob",
            "I had a look at it yesterday, the proxy is fine. Coffee?\n\n- We should rewrite it in Rust :)\n",
        ),
        (
            "Carol",
            "> Action: @bob will write the runbook\n\nGood. I'll measure login time on phones before 2026-12-01, urgent.\n\nalice to announce the change after the runbook is done",
        ),
    ]);
    let tasks = tasks(&thread);
    assert_eq!(
        titles(&tasks),
        [
            "Add a rate limit to the login form",
            "Document the new limit in the handbook",
            "Write the runbook @bob",
            "Measure login time on phones @Carol",
            "Announce the change @alice",
        ]
    );
    let depends: Vec<&[String]> = tasks.tasks.iter().map(|task| &task.depends_on[..]).collect();
    assert_eq!(depends, [&[][..], &["t1".to_owned()], &[], &[], &["t3".to_owned()]]);
    let due: Vec<String> = tasks
        .tasks
        .iter()
        .filter_map(|task| task.due_date)
        .map(|date| date.to_string())
        .collect();
    assert_eq!(due, ["2026-11-27", "2026-12-01"]);
    assert_eq!(tasks.tasks[2].body, "It must cover paging.");
    assert_eq!(
        tasks.tasks[2].sources[0].quote,
        "Action: @bob will write the runbook by Friday. It must cover paging."
    );
}
