//! Who may ask for what.

use super::super::command::{Ask, Command, Refusal, Verdict};
use super::super::decide::standings;
use super::super::definition::{Definition, Known};
use super::super::right::{Requirement, Right, Standing};
use super::{Condition, Place, Run, Table, at, authority, prefix, proposal, versions};

/// Every right, least first. A new one does not compile until it has its place.
fn rights() -> Vec<Right> {
    let above = |right| match right {
        Right::None => Some(Right::Read),
        Right::Read => Some(Right::Triage),
        Right::Triage => Some(Right::Write),
        Right::Write => Some(Right::Maintain),
        Right::Maintain => Some(Right::Admin),
        Right::Admin => None,
    };
    std::iter::successors(Some(Right::None), |right| above(*right)).collect()
}

/// The requirements that verbs have by default, and ones that a repository raised.
fn requirement(named: &str) -> Requirement {
    let hold = Requirement {
        right: Right::Triage,
        or: &[Standing::Author, Standing::Assignee],
    };
    let cancel = Requirement {
        right: Right::Write,
        or: &[Standing::Author],
    };
    match named {
        "anyone" => Requirement::ANYONE,
        "hold" => hold,
        "cancel" => cancel,
        "triage" => Requirement::at_least(Right::Triage),
        "write" => Requirement::at_least(Right::Write),
        "admin" => Requirement::at_least(Right::Admin),
        "hold raised to write" => hold.raised_to(Right::Write),
        "hold raised to read" => hold.raised_to(Right::Read),
        "cancel raised to write" => cancel.raised_to(Right::Write),
        "cancel raised to maintain" => cancel.raised_to(Right::Maintain),
        other => panic!("no such requirement: {other}"),
    }
}

#[test]
fn who_meets_what() {
    let table = "
                                       | none | read | triage | write | maintain | admin
anyone: stranger                       | yes  | yes  | yes    | yes   | yes      | yes
hold: stranger                         | no   | no   | yes    | yes   | yes      | yes
hold: author                           | yes  | yes  | yes    | yes   | yes      | yes
hold: assignee                         | yes  | yes  | yes    | yes   | yes      | yes
hold: both                             | yes  | yes  | yes    | yes   | yes      | yes
cancel: stranger                       | no   | no   | no     | yes   | yes      | yes
cancel: author                         | yes  | yes  | yes    | yes   | yes      | yes
cancel: assignee                       | no   | no   | no     | yes   | yes      | yes
cancel: both                           | yes  | yes  | yes    | yes   | yes      | yes
triage: stranger                       | no   | no   | yes    | yes   | yes      | yes
triage: both                           | no   | no   | yes    | yes   | yes      | yes
write: stranger                        | no   | no   | no     | yes   | yes      | yes
write: both                            | no   | no   | no     | yes   | yes      | yes
admin: both                            | no   | no   | no     | no    | no       | yes
hold raised to read: both              | yes  | yes  | yes    | yes   | yes      | yes
hold raised to write: author           | yes  | yes  | yes    | yes   | yes      | yes
hold raised to write: assignee         | no   | no   | no     | yes   | yes      | yes
cancel raised to write: author         | yes  | yes  | yes    | yes   | yes      | yes
cancel raised to maintain: author      | yes  | yes  | yes    | yes   | yes      | yes
cancel raised to maintain: stranger    | no   | no   | no     | no    | yes      | yes
";
    let parsed = Table::parse(table);
    let rows: Vec<&str> = parsed.rows.iter().map(|(row, _)| row.as_str()).collect();
    let rights = rights();
    let names: Vec<String> = rights.iter().map(Right::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    parsed.check(&rows, &names, |row, column| {
        let (needs, who) = row.split_once(": ").expect("requirement: who");
        let who = match who {
            "stranger" => standings(false, false),
            "author" => standings(true, false),
            "assignee" => standings(false, true),
            "both" => standings(true, true),
            other => panic!("no such standing: {other}"),
        };
        let met = requirement(needs).met_by(rights[column], &who);
        if met { "yes" } else { "no" }.into()
    });
}

/// One of each ask.
fn asks() -> [Ask; 12] {
    let [_, second, third] = versions(1);
    let text = || "because".to_owned();
    [
        Ask::Approve {
            verdict: None,
            named: prefix(second.digest()),
            reason: None,
        },
        Ask::Unapprove { of: None },
        Ask::Reject { reason: text() },
        Ask::Revise { text: text() },
        Ask::Amend {
            base: second.digest(),
            proposal: third.clone(),
            change: text(),
        },
        Ask::Respond { proposal: third },
        Ask::Hold { reason: text() },
        Ask::Unhold,
        Ask::Retry { variant: None },
        Ask::Cancel { reason: text() },
        Ask::Answer {
            question: 1,
            text: text(),
        },
        Ask::Skip { reason: text() },
    ]
}

#[test]
fn without_the_right_every_ask_names_what_is_needed_and_what_they_have() {
    for condition in [Condition::Open, Condition::Held, Condition::Over] {
        let mut run = at(Place::ReadyForReview);
        condition.impose(&mut run);
        for ask in asks() {
            for has in rights() {
                for needs in rights().into_iter().map(Requirement::at_least) {
                    let mut by = authority("mallory", has, run.now);
                    by.requirement = needs;
                    by.standings = standings(true, true);
                    let verdict = run.verdict(&Command::Person(by, ask.clone()));
                    let refused = verdict == Verdict::Refused(Refusal::NotAllowed { needs, has });
                    if has < needs.right {
                        assert!(refused, "{ask:?} {has} of {needs:?}: {verdict:?}");
                    } else if !matches!(ask, Ask::Approve { .. }) {
                        let other = matches!(verdict, Verdict::Refused(Refusal::NotAllowed { .. }));
                        assert!(!other, "{ask:?} {has} of {needs:?}: {verdict:?}");
                    }
                }
            }
        }
    }
}

fn gated(right: Right) -> Run {
    // Nothing may leave behind a gate that asks for less than `write`.
    let executes = match right < Right::Write {
        true => "",
        false => ", executes: work",
    };
    let yaml = format!(
        "name: g\nversion: 1\ntitle: t\nphases:\n  \
         - {{id: work, title: W, agent: writer, gate: {{people: {{right: {right}}}}}{executes}}}\n"
    );
    let definition = Definition::parse(
        &yaml,
        &Known {
            agents: &["writer"],
            ..Known::default()
        },
    )
    .expect("valid");
    let mut run = Run::start(&definition);
    let made = proposal("work", 1, "made", &["one"]);
    run.proposes(&made);
    run.shown("work", made.digest());
    run
}

#[test]
fn a_gate_asks_for_its_own_right_whatever_the_verb_asks() {
    let made = proposal("work", 1, "made", &["one"]);
    for gate in rights() {
        let run = gated(gate);
        for verb in rights() {
            for has in rights() {
                let mut by = authority("bob", has, run.now);
                by.requirement = Requirement {
                    right: verb,
                    or: &[Standing::Author],
                };
                // The author: what lets them use the verb does not open the gate.
                by.standings = standings(true, false);
                let ask = Ask::Approve {
                    verdict: None,
                    named: prefix(made.digest()),
                    reason: None,
                };
                let verdict = run.verdict(&Command::Person(by, ask));
                if has < gate {
                    let needs = Requirement::at_least(gate);
                    assert_eq!(verdict, Verdict::Refused(Refusal::NotAllowed { needs, has }));
                } else {
                    assert!(matches!(verdict, Verdict::Events(_)), "{has} at {gate}: {verdict:?}");
                }
            }
        }
    }
}

#[test]
fn taking_back_anothers_approval_needs_maintain() {
    let made = proposal("work", 1, "made", &["one"]);
    let mut run = gated(Right::Write);
    run.asks(
        "bob",
        Right::Admin,
        Ask::Approve {
            verdict: None,
            named: prefix(made.digest()),
            reason: None,
        },
    );
    for has in rights() {
        for of in [None, Some("BOB".to_owned())] {
            let ask = Ask::Unapprove { of };
            let verdict = run.verdict(&Command::Person(authority("carol", has, run.now), ask));
            let refused = Verdict::Refused(Refusal::NotYours {
                of: super::person("bob"),
                needs: Right::Maintain,
            });
            assert_eq!(verdict == refused, has < Right::Maintain, "{has}: {verdict:?}");
        }
    }
}
