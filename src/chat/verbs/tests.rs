use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::chat::reader::read;
use crate::chat::request::{DigestPrefix, Estimate, FieldChange, Login, Priority};
use crate::workflow::right::Standing;
use crate::workflow::variants::Letter;

fn dialect() -> Dialect {
    Dialect::plain(BotName::new("countersign"))
}

fn readings(body: &str) -> Vec<Reading> {
    let dialect = dialect();
    read(body, &dialect.bot)
        .iter()
        .map(|addressed| interpret(addressed, &dialect))
        .collect()
}

fn reading(body: &str) -> Reading {
    let mut all = readings(body);
    assert_eq!(all.len(), 1, "{body:?} gave {all:?}");
    all.remove(0)
}

fn request(body: &str) -> Request {
    match reading(body) {
        Reading::Command(command) => {
            assert_eq!(command.verb.name, command.request.verb(), "{body}");
            command.request
        }
        other => panic!("{body:?} gave {other:?}"),
    }
}

fn problem(body: &str) -> String {
    match reading(body) {
        Reading::Answer(problem) => problem.to_string(),
        other => panic!("{body:?} gave {other:?}"),
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn the_table_is_complete_and_unambiguous() {
    let names: Vec<&str> = VERBS.iter().map(|verb| verb.name).collect();
    let listed = "help deliver tasks run status who explain approve choose unapprove reject revise edit task answer skip hold \
                  unhold retry cancel prompt respond";
    assert_eq!(names, listed.split(' ').collect::<Vec<_>>());
    let words: Vec<&str> = VERBS
        .iter()
        .flat_map(|verb| verb.aliases.iter().chain([&verb.name]))
        .copied()
        .collect();
    assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len());
    assert!(!words.contains(&"lgtm"));
    assert!(OTHERS.iter().all(|word| !words.contains(word)));
}

#[test]
fn rights_are_those_of_the_table() {
    let standings = [Standing::Author, Standing::Assignee];
    for verb in VERBS {
        let expected: (Right, &[Standing]) = match verb.name {
            "help" | "status" | "who" | "explain" => (Right::None, &[]),
            "hold" | "answer" => (Right::Triage, &standings),
            "cancel" => (Right::Write, &standings[..1]),
            "deliver" | "tasks" | "run" | "task" | "prompt" => (Right::Triage, &[]),
            _ => (Right::Write, &[]),
        };
        assert_eq!((verb.requirement.right, verb.requirement.or), expected, "{}", verb.name);
    }
}

#[test]
fn every_example_is_read_as_its_verb_and_is_its_own_hint() {
    for verb in VERBS {
        assert!(!verb.examples.is_empty(), "{}", verb.name);
        for example in verb.examples {
            let request = request(example.comment);
            assert_eq!(request.verb(), verb.name, "{}", example.comment);
            assert_eq!(self::request(&request.hint()), request, "{}", example.comment);
        }
    }
}

#[test]
fn words_become_requests() {
    assert_eq!(request("/help"), Request::Help { verb: None });
    assert_eq!(request("/help /Approve"), Request::Help { verb: some("approve") });
    assert_eq!(request("/deliver please"), Request::Deliver);
    assert_eq!(request("@countersign tasks"), Request::Tasks);
    assert_eq!(request("/status"), Request::Status);
    assert_eq!(request("/resume"), Request::Unhold);
    assert_eq!(
        request("/stop it is done"),
        Request::Cancel {
            reason: some("it is done")
        }
    );
    assert_eq!(
        request("/pause\nuntil Monday"),
        Request::Hold {
            reason: some("until Monday")
        }
    );
    assert_eq!(request("/explain #12"), Request::Explain { about: Some(12) });
    assert_eq!(
        request("/explain https://x/1#discussion_r34"),
        Request::Explain { about: Some(34) }
    );
    assert_eq!(
        request("/unapprove @Bob"),
        Request::Unapprove {
            of: Some(Login::new("bob").unwrap())
        }
    );
    assert_eq!(request("/unapprove I was wrong"), Request::Unapprove { of: None });
    assert_eq!(
        request("/revise Shorter.\nAnd kinder."),
        Request::Revise {
            text: "Shorter.\nAnd kinder.".to_owned()
        }
    );
    for (line, text) in [
        ("/answer 2 since 1.4", "since 1.4"),
        ("/answer #2. since 1.4", "since 1.4"),
        ("/answer 2: since\n> quoted\n\n1.4", "since\n1.4"),
        ("/answer 2\n```\nsince 1.4\n```", "```\nsince 1.4\n```"),
    ] {
        let text = text.to_owned();
        assert_eq!(request(line), Request::Answer { question: 2, text }, "{line}");
    }
    assert_eq!(request("/respond\n```\n{}\n```"), respond(None, None));
    let digest = || Some(DigestPrefix::new("3f9c0a417be2").unwrap());
    for (line, of, prompt) in [
        ("/respond draft-b", some("draft-b"), None),
        ("/respond C", some("c"), None),
        ("/respond `B` `3F9C0A417BE2`", some("b"), digest()),
        ("/respond 3f9c0a417be2", None, digest()),
    ] {
        assert_eq!(
            request(&format!("{line}\n```\n{{}}\n```")),
            respond(of, prompt),
            "{line}"
        );
    }
    assert_eq!(request("/prompt"), Request::Prompt { of: None });
    assert_eq!(request("/prompt C"), Request::Prompt { of: some("c") });
}

#[test]
fn a_digest_is_taken_however_it_was_copied() {
    let digest = Some(DigestPrefix::new("3f9c0a417be2").unwrap());
    for line in [
        "/approve 3f9c0a417be2",
        "/approve 3F9C0A417BE2",
        "/approve `3f9c0a417be2`",
        "/approve <3f9c0a417be2>",
        "/approve sha256:3f9c0a417be2",
        "/approve 3f9c0a417be2.",
        "/approve\u{a0}3f9c0a417be2\u{200b}",
        "/approve 3f9c0a417be2 <!-- tool -->",
        "`/approve 3f9c0a417be2`",
    ] {
        assert_eq!(
            request(line),
            Request::Approve {
                verdict: None,
                digest: digest.clone(),
                reason: None
            },
            "{line}"
        );
    }
    let reason = some("looks good\nto me");
    assert_eq!(
        request("/approve 3f9c0a417be2 looks good\nto me"),
        Request::Approve {
            verdict: None,
            digest,
            reason: reason.clone()
        }
    );
    assert_eq!(
        request("/approve looks good\nto me"),
        Request::Approve {
            digest: None,
            reason,
            verdict: None
        }
    );
    assert_eq!(
        request("/approve - added 2 more"),
        Request::Approve {
            verdict: None,
            digest: None,
            reason: some("- added 2 more")
        }
    );
}

#[test]
fn a_misspelt_digest_never_approves_something_else() {
    for line in [
        "/approve 3f9c0a4",
        "/approve 3f9c0a417bez",
        "/approve 3f9c0a417be",
        "/approve sha256:12ab34",
    ] {
        assert!(problem(line).contains("12 to 64 hex digits"), "{line}");
    }
    assert!(problem("/approve t2").contains("ticked"));
    assert!(problem("/approve digest=3f9c0a417be2").contains("more than this command takes"));
    assert!(problem("/approve --all").contains("more than this command takes"));
}

#[test]
fn tasks_and_edits_have_typed_fields() {
    let title = FieldChange::Title("Write the runbook".to_owned());
    assert_eq!(
        request("/task Write the runbook"),
        Request::Task {
            fields: vec![title.clone()]
        }
    );
    assert_eq!(
        request("/task \"Write the runbook\""),
        Request::Task {
            fields: vec![title.clone()]
        }
    );
    let fields = vec![
        FieldChange::Assignee(Some(Login::new("bob").unwrap())),
        title.clone(),
        FieldChange::Body("With the phone numbers.\n\n- all of them".to_owned()),
    ];
    let body = "/task Write the runbook assign=@bob\nWith the phone numbers.\n\n- all of them";
    assert_eq!(request(body), Request::Task { fields });
    let changes = vec![
        FieldChange::Estimate(Some(Estimate::S)),
        FieldChange::Priority(Some(Priority::High)),
    ];
    let item = Some(ItemKey::new("t2").unwrap());
    assert_eq!(
        request("/edit T2: est=s priority=high"),
        Request::Edit {
            item,
            changes,
            replacement: None
        }
    );
    let whole = Request::Edit {
        item: None,
        changes: vec![],
        replacement: some("all"),
    };
    assert_eq!(request("/edit\n```\nall\n```"), whole);
}

#[test]
fn malformed_arguments_have_a_sentence() {
    let cases = [
        ("/reject", "needs a reason"),
        ("/revise", "Say what shall be different"),
        ("/task", "needs a title"),
        ("/task assign=@bob", "needs a title"),
        ("/task title=\"x", "never closed"),
        ("/task x title=y", "`title=` is given twice"),
        ("/task x est=S estimate=M", "`est=` is given twice"),
        ("/task x colr=y", "no field `colr`"),
        ("/task x depends=t1, t3", "in quotes"),
        ("/edit", "Say what shall change"),
        ("/edit t2", "Say what shall change"),
        ("/edit t2 the title", "FIELD=VALUE"),
        ("/edit t2 titel=x", "did you mean `title=`?"),
        ("/edit title=x\n```\nall\n```", "contradict"),
        ("/answer", "Which question?"),
        ("/answer twelve it is so", "no question"),
        ("/answer 0 it is so", "no question"),
        ("/answer -1 it is so", "no question"),
        ("/answer 99999999999 it is so", "no question"),
        ("/answer 2", "The answer is empty"),
        ("/answer 2\n> said by somebody", "The answer is empty"),
        ("/skip cancel", "more than this command takes"),
        ("/skip /approve", "put `/approve` on a line of its own"),
        ("/respond", "three backticks"),
        ("/respond {}", "three backticks"),
        ("/respond\n```\n\n```", "three backticks"),
        ("/respond B 3f9c0a\n```\n{}\n```", "12 to 64 hex digits"),
        (
            "/respond B 3f9c0a417be2 please\n```\n{}\n```",
            "“please” is more than this command takes",
        ),
        ("/respond here: {}\n```\n{}\n```", "no digest"),
        ("/respond #2\n```\n{}\n```", "is no phase"),
        ("/prompt B C", "“C” is more than this command takes"),
        ("/prompt what=x", "is no phase"),
        ("/unapprove bob", "with `@`"),
        ("/unapprove @", "one person's"),
        ("/explain that", "address of a comment"),
        ("/retry t2", "takes no arguments"),
        ("/deliver dry=yes", "takes no arguments"),
        ("/status --all", "takes no arguments"),
        ("/approve /hold", "put `/hold` on a line of its own"),
        ("/hold /approve 3f9c0a417be2", "put `/approve` on a line of its own"),
    ];
    for (body, expected) in cases {
        let sentence = problem(body);
        assert!(sentence.contains(expected), "{body}: {sentence}");
    }
}

#[test]
fn a_malformed_command_is_answered_with_usage_and_example() {
    let Reading::Answer(problem) = reading("/reject") else {
        panic!("answered")
    };
    let answer = problem.answer();
    assert!(
        answer.contains("`/reject REASON`") && answer.contains(by_name("reject").unwrap().examples[0].comment),
        "{answer}"
    );
}

#[test]
fn an_unknown_word_has_three_outcomes() {
    for (typed, meant) in [
        ("/aprove", "/approve"),
        ("/apporve 3f9c0a417be2", "/approve"),
        ("/approve!", "/approve"),
        ("/approved", "/approve"),
        ("/app", "/approve"),
        ("/hlep", "/help"),
        ("/unaprove", "/unapprove"),
        ("/rejct no", "/reject"),
        ("/stat", "/status"),
        ("/who?", "/who"),
        ("@countersign aprove", "/approve"),
    ] {
        assert!(
            problem(typed).ends_with(&format!("; did you mean `{meant}`?")),
            "{typed}: {}",
            problem(typed)
        );
    }
    for other in [
        "/lgtm",
        "/test",
        "/retest",
        "/approve-foo",
        "/assign @bob",
        "/cc @bob",
        "/close",
        "/deploy",
        "/ok",
        "/merge",
    ] {
        assert_eq!(reading(other), Reading::Ignore, "{other}");
    }
    assert_eq!(
        problem("@countersign lgtm"),
        "I do not know `lgtm`. `/help` lists what I understand."
    );
    assert!(problem("@countersign").contains("no command follows"));
}

#[test]
fn a_repository_may_add_words_but_not_take_them() {
    let mut dialect = dialect();
    dialect.aliases = [
        ("ship", "approve"),
        ("hold", "cancel"),
        ("stop", "hold"),
        ("odd", "nothing"),
    ]
    .map(|(word, verb)| (word.to_owned(), verb.to_owned()))
    .into();
    let verb = |word| dialect.verb(word).map(|verb| verb.name);
    assert_eq!(verb("ship"), Some("approve"));
    assert_eq!(verb("hold"), Some("hold"));
    assert_eq!(verb("stop"), Some("hold"));
    assert_eq!(verb("odd"), None);
    assert_eq!(dialect.suggestion("shpi").as_deref(), Some("ship"));
    assert!(help(Some("ship"), &dialect).contains("Also: `/ship`."));
}

#[test]
fn a_repository_may_ask_for_more_and_help_says_so() {
    let mut dialect = dialect();
    dialect.floors = [
        ("approve".to_owned(), Right::Admin),
        ("deliver".to_owned(), Right::Read),
    ]
    .into();
    assert_eq!(dialect.requirement(&approve::VERB), Requirement::at_least(Right::Admin));
    assert_eq!(
        dialect.requirement(&deliver::VERB),
        Requirement::at_least(Right::Triage)
    );
    assert!(help(Some("approve"), &dialect).contains("Who may: admin."));
}

#[test]
fn help_explains_all_one_and_none() {
    let dialect = dialect();
    let all = help(None, &dialect);
    assert!(
        VERBS
            .iter()
            .all(|verb| all.contains(&format!("| `/{}", verb.name)) && all.contains(verb.summary))
    );
    assert!(all.contains("triage, or the author, or an assignee"));
    let one = help(Some("approve"), &dialect);
    assert!(one.contains("/approve [DIGEST] [REASON]") && one.contains("Who may: write."));
    assert!(help(Some("stop"), &dialect).contains("### `/cancel`"));
    assert!(help(Some("aprove"), &dialect).contains("this is `/approve`"));
    let none = help(Some("<!-- @bob"), &dialect);
    assert!(
        none.starts_with("There is no “") && !none.contains("<!--") && !none.contains("@bob") && none.contains(&all)
    );
}

#[test]
fn the_commands_document_is_written_from_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/commands.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, reference()).unwrap();
    }
    let on_disk = std::fs::read_to_string(path).unwrap();
    assert!(
        on_disk == reference(),
        "docs/commands.md is out of date: UPDATE_DOCS=1 cargo test commands_document"
    );
}

fn sentence() -> impl Strategy<Value = String> {
    "[A-Z][a-zäé👍]{1,8}( [a-z,!'\"\\\\]{1,6}){0,4}\\.?".prop_map(|text| text.trim().to_owned())
}

fn digest() -> impl Strategy<Value = DigestPrefix> {
    "[0-9a-f]{12,64}".prop_map(|digits| DigestPrefix::new(&digits).unwrap())
}

fn item() -> impl Strategy<Value = ItemKey> {
    "t[0-9]{1,3}".prop_map(|key| ItemKey::new(&key).unwrap())
}

fn change() -> impl Strategy<Value = FieldChange> {
    let labels = prop::collection::vec("[a-z]{1,6}( [a-z]{1,4})?", 0..3);
    let login = "[a-z][a-z0-9-]{0,10}".prop_filter("means nobody", |login| login != "none");
    let date =
        (1i32..3000, 1u32..366).prop_map(|(year, day)| chrono::NaiveDate::from_yo_opt(1900 + year, day).unwrap());
    let priority = prop::sample::select(vec![
        Priority::Low,
        Priority::Medium,
        Priority::High,
        Priority::Critical,
    ]);
    let estimate = prop::sample::select(vec![Estimate::Xs, Estimate::S, Estimate::M, Estimate::L, Estimate::Xl]);
    prop_oneof![
        sentence().prop_map(FieldChange::Title),
        prop::collection::vec(sentence(), 0..3).prop_map(|lines| FieldChange::Body(lines.join("\n"))),
        prop::option::of(login).prop_map(|login| FieldChange::Assignee(login.map(|login| Login::new(&login).unwrap()))),
        labels
            .prop_filter("clears", |labels| labels != &["none"])
            .prop_map(FieldChange::Labels),
        prop::option::of(priority).prop_map(FieldChange::Priority),
        prop::option::of(estimate).prop_map(FieldChange::Estimate),
        prop::option::of(date).prop_map(FieldChange::Due),
        prop::collection::vec(item(), 0..3).prop_map(FieldChange::Depends),
        prop::collection::vec(sentence(), 0..3).prop_map(FieldChange::Criteria),
        sentence().prop_map(FieldChange::Subject),
        sentence().prop_map(FieldChange::Text),
    ]
}

fn changes() -> impl Strategy<Value = Vec<FieldChange>> {
    prop::collection::vec(change(), 1..6).prop_map(|mut changes| {
        let mut seen = BTreeSet::new();
        changes.retain(|change| seen.insert(change.name()));
        changes
    })
}

fn with_title((title, mut fields): (String, Vec<FieldChange>)) -> Request {
    fields.retain(|field| field.name() != "title");
    fields.push(FieldChange::Title(title));
    Request::Task { fields }
}

fn respond(of: Option<String>, prompt: Option<DigestPrefix>) -> Request {
    let text = "{}".to_owned();
    Request::Respond { of, prompt, text }
}

fn letter() -> impl Strategy<Value = Letter> {
    prop::sample::select(Letter::first(8).collect::<Vec<_>>())
}

fn any_request() -> impl Strategy<Value = Request> {
    let reason = || prop::option::of(sentence());
    let fenced = "[a-z{}`/ ]{0,20}[a-z]\n?[a-z]";
    prop_oneof![
        prop::option::of("[a-z]{1,9}").prop_map(|verb| Request::Help { verb }),
        prop::sample::select(vec![
            Request::Deliver,
            Request::Tasks,
            Request::Status,
            Request::Who,
            Request::Unhold,
            Request::Retry { variant: None },
            Request::Prompt { of: None },
        ]),
        "[a-z][a-z-]{0,9}".prop_map(|of| Request::Prompt { of: Some(of) }),
        prop::option::of(any::<u64>()).prop_map(|about| Request::Explain { about }),
        ("[a-z]{1,9}", "[a-z]{1,6}", sentence()).prop_map(|(definition, name, value)| Request::Run {
            definition,
            given: vec![(name, value)],
        }),
        (prop::option::of(digest()), reason()).prop_map(|(digest, reason)| Request::Approve {
            digest,
            reason,
            verdict: None
        }),
        prop::option::of("[a-z][a-z0-9-]{0,10}").prop_map(|login| Request::Unapprove {
            of: login.map(|login| Login::new(&login).unwrap())
        }),
        sentence().prop_map(|reason| Request::Reject { reason }),
        sentence().prop_map(|text| Request::Revise { text }),
        (prop::option::of(item()), changes()).prop_map(|(item, changes)| Request::Edit {
            item,
            changes,
            replacement: None
        }),
        fenced.prop_map(|text| Request::Edit {
            item: None,
            changes: vec![],
            replacement: Some(text)
        }),
        (sentence(), changes()).prop_map(with_title),
        (1..100_u32, sentence()).prop_map(|(question, text)| Request::Answer { question, text }),
        (letter(), prop::option::of(digest()), reason()).prop_map(|(variant, digest, reason)| Request::Choose {
            variant,
            digest,
            reason
        }),
        letter().prop_map(|letter| Request::Retry { variant: Some(letter) }),
        reason().prop_map(|reason| Request::Skip { reason }),
        reason().prop_map(|reason| Request::Hold { reason }),
        reason().prop_map(|reason| Request::Cancel { reason }),
        (prop::option::of("[g-z][a-z-]{0,8}"), prop::option::of(digest()), fenced)
            .prop_map(|(of, prompt, text)| Request::Respond { of, prompt, text }),
    ]
}

fn piece() -> impl Strategy<Value = &'static str> {
    let pieces = "/approve /edit /task /explain /unapprove /help /respond /aprove @countersign t1 = \" \
                  title “ ' é 3f9c0a417be2 \
                  sha256: ``` # @ \\";
    prop::sample::select(pieces.split(' ').chain([" ", "\n"]).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn a_rendered_hint_reads_back(request in any_request()) {
        prop_assert_eq!(&self::request(&request.hint()), &request);
        let stored = serde_json::to_string(&request).unwrap();
        prop_assert_eq!(serde_json::from_str::<Request>(&stored).unwrap(), request);
    }

    #[test]
    fn any_comment_has_an_outcome(words in prop::collection::vec(piece(), 0..20), text in any::<String>()) {
        for reading in readings(&(words.concat() + &text)) {
            if let Reading::Answer(problem) = reading {
                prop_assert!(!problem.answer().is_empty());
            }
        }
    }
}
