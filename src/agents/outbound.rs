//! What may leave the repository's audience in a prompt.
//!
//! A prompt goes to a model's provider, or is pasted there by a person: to readers whom nobody of the repository chose.
//! A text that holds a credential or an e-mail address stays here, whole, and it is said why. What is left is looked at
//! once more, as one; a find then keeps the whole prompt here.

use super::inputs::{Guide, Inputs, LeftOut, Mailing, Material, Thread};
use super::scan::{Finding, scan};
use super::{Agent, Problem, ProblemKind};
use crate::text::clean::clean;
use crate::workflow::guidelines::Unfit;

/// Stands between texts that are scanned as one, so that neighbours do not become a name and its value.
const APART: &str = " . ";

/// The inputs without the texts that must not leave. What was left out is named in them, for people: by its kind, never
/// by what was found.
pub fn outbound(inputs: Inputs) -> Inputs {
    match inputs {
        Inputs::Thread(thread) => Inputs::Thread(of_thread(thread)),
        Inputs::Mailing(mailing) => Inputs::Mailing(of_mailing(mailing)),
        Inputs::Material(material) => Inputs::Material(Box::new(of_material(*material))),
    }
}

/// What was given and what earlier phases made was checked when it came; should it hold something after all, the prompt
/// is refused whole.
fn of_material(mut material: Material) -> Material {
    material.thread = of_thread(material.thread);
    material.guide = material.guide.map(outbound_guide);
    material
}

/// Guidelines as they may leave. Those that hold something are left out whole: what a rule says without one of its lines is
/// another rule.
pub fn outbound_guide(guide: Guide) -> Guide {
    let Some(finding) = held(&guide.text) else { return guide };
    let line = (1..).zip(guide.text.lines()).find(|(_, line)| held(line).is_some());
    let withheld = Unfit::Withheld {
        holds: finding.to_string(),
        line: line.map(|(number, _)| number),
    };
    Guide::left_out(&guide.of.path, guide.of.commit.as_deref(), withheld)
}

/// Why a prompt from these inputs may not leave, if it may not.
pub fn refused(agent: &Agent, inputs: &Inputs) -> Option<Problem> {
    let found = match (agent.brief)(inputs) {
        Ok(brief) => {
            let mut strings = Vec::new();
            super::strings(&brief.facts, &[], &mut strings);
            super::strings(&brief.data, &[], &mut strings);
            let guidelines = brief.guide.as_ref().map(Guide::visible);
            strings.extend(guidelines.as_deref());
            scan(&strings.join(APART))?.to_string()
        }
        Err(wrong) => wrong.to_string(),
    };
    let text = format!(
        "the prompt holds {found} and is not given to a model; take it out of the discussion and `/retry`, or use the \
         provider `rules`"
    );
    Some(Problem::new(ProblemKind::Withheld, "", text))
}

/// The first find in a text, as it was written or as a reader sees it.
fn held(text: &str) -> Option<Finding> {
    scan(text).or_else(|| scan(&clean(text)))
}

fn of_thread(mut thread: Thread) -> Thread {
    let mut entries = Vec::with_capacity(thread.entries.len());
    for entry in thread.entries {
        match held(&entry.text) {
            None => entries.push(entry),
            Some(finding) => thread.left_out.push(LeftOut {
                author: entry.author,
                url: entry.url,
                why: format!("it holds {finding}"),
            }),
        }
    }
    thread.entries = entries;
    let notes = &mut thread.notes;
    title(&mut thread.title, notes);
    kept(&mut thread.steer, "wish", "wishes", |text| text.as_str(), notes);
    kept(&mut thread.labels, "label", "labels", |text| text.as_str(), notes);
    kept(
        &mut thread.earlier,
        "earlier quote",
        "earlier quotes",
        |earlier| earlier.quote.as_str(),
        notes,
    );
    thread
}

fn of_mailing(mut mailing: Mailing) -> Mailing {
    let notes = &mut mailing.notes;
    title(&mut mailing.title, notes);
    kept(&mut mailing.steer, "wish", "wishes", |text| text.as_str(), notes);
    for task in &mut mailing.tasks {
        if let Some(finding) = held(&task.title) {
            notes.push(format!(
                "The title of #{} was not given to the agent: it holds {finding}.",
                task.number
            ));
            task.title = format!("Issue {}", task.number);
        }
    }
    mailing
}

fn title(title: &mut String, notes: &mut Vec<String>) {
    if let Some(finding) = held(title) {
        notes.push(format!("The title was not given to the agent: it holds {finding}."));
        title.clear();
    }
}

/// Drops the items of a list whose text must not leave.
fn kept<T>(list: &mut Vec<T>, one: &str, many: &str, text: impl Fn(&T) -> &str, notes: &mut Vec<String>) {
    let mut dropped = Vec::new();
    list.retain(|item| {
        let finding = held(text(item));
        dropped.extend(finding);
        finding.is_none()
    });
    match dropped.as_slice() {
        [] => {}
        [finding] => notes.push(format!("One {one} was not given to the agent: it holds {finding}.")),
        [finding, ..] => notes.push(format!(
            "{} {many} were not given to the agent: they hold {finding} or the like.",
            dropped.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{mailing, thread};
    use super::super::{email, extract, prompt};
    use super::*;
    use crate::workflow::guidelines::Found;

    const PASSWORD: &str = "password=hunter2";

    #[test]
    fn a_text_that_must_not_leave_stays_whole_and_is_named() {
        let mut thread = thread(&[
            ("alice", "- [ ] Write the runbook"),
            ("bob", "It works with password=hunter2 here.\n- [ ] Rotate it"),
            ("carol", "ask car<b></b>ol@exam&#x200b;ple.org"),
        ]);
        thread.title = format!("Login with {PASSWORD}");
        thread.steer = vec!["shorter".into(), format!("use {PASSWORD}")];
        thread.labels.push("carol@example.org".into());
        let before = Inputs::Thread(thread);
        assert!(refused(&extract::AGENT, &before).is_some());
        let after = outbound(before);
        assert_eq!(refused(&extract::AGENT, &after), None);
        let prompt = prompt(&extract::AGENT, &after).unwrap().whole();
        for secret in ["hunter2", "Rotate it", "exam", "carol@"] {
            assert!(!prompt.contains(secret), "{secret}: {prompt}");
        }
        let Inputs::Thread(thread) = after else { panic!() };
        assert_eq!(thread.entries.len(), 1);
        assert_eq!(thread.steer, ["shorter"]);
        let why: Vec<&str> = thread.left_out.iter().map(|text| text.why.as_str()).collect();
        assert_eq!(why, ["it holds a password or key", "it holds an e-mail address"]);
        assert_eq!(
            thread.notes,
            [
                "The title was not given to the agent: it holds a password or key.",
                "One wish was not given to the agent: it holds a password or key.",
                "One label was not given to the agent: it holds an e-mail address.",
            ]
        );
    }

    #[test]
    fn a_mailing_is_held_to_the_same() {
        let mut mailing = mailing();
        mailing.tasks[1].title = format!("Rotate {PASSWORD}");
        let before = Inputs::Mailing(mailing);
        assert!(refused(&email::AGENT, &before).is_some());
        let after = outbound(before);
        assert_eq!(refused(&email::AGENT, &after), None);
        let Inputs::Mailing(mailing) = after else { panic!() };
        assert_eq!(mailing.tasks[1].title, "Issue 9");
        assert_eq!(
            mailing.notes,
            ["The title of #9 was not given to the agent: it holds a password or key."]
        );
    }

    #[test]
    fn what_is_still_there_keeps_the_whole_prompt_here() {
        let mut thread = thread(&[("alice", "hello")]);
        thread.participants.push("carol@example.org".into());
        let problem = refused(&extract::AGENT, &Inputs::Thread(thread)).unwrap();
        assert_eq!(problem.kind, ProblemKind::Withheld);
        assert!(problem.text.contains("an e-mail address"), "{problem}");
        assert!(!problem.text.contains("carol"), "{problem}");
    }

    #[test]
    fn guidelines_that_hold_something_stay_here_whole_and_the_line_is_named() {
        let made = |text: &str| {
            Inputs::Material(Box::new(Material {
                thread: thread(&[("alice", "hello")]),
                given: Default::default(),
                files: Default::default(),
                artifacts: Vec::new(),
                choice: None,
                guide: Some(Guide::read("AGENTS.md", Some("c0ffee"), (text, None), 1000)),
            }))
        };
        let agent = super::super::made::agent("p", "P".into(), "plan.v1").unwrap();
        let held = format!("Use tabs.\n\nSign in with {PASSWORD}\n");
        assert!(refused(&agent, &made(&held)).is_some());
        let after = outbound(made(&held));
        assert_eq!(refused(&agent, &after), None);
        let guide = after.guide().unwrap();
        assert_eq!((guide.text.as_str(), guide.of.commit.as_deref()), ("", Some("c0ffee")));
        let why = |holds: &str, line| {
            Found::LeftOut(Unfit::Withheld {
                holds: holds.into(),
                line,
            })
        };
        assert_eq!(guide.of.found, why("a password or key", Some(3)));
        // Split over lines it is in none of them.
        let split = outbound(made("-----BEGIN\nRSA PRIVATE KEY-----\n"));
        assert_eq!(split.guide().unwrap().of.found, why("a private key", None));
        let good = made("Use tabs.\n");
        assert_eq!(outbound(good.clone()), good);
    }

    #[test]
    fn neighbours_are_no_name_and_value() {
        let thread = thread(&[("alice", "reset the password"), ("bob12345", "token")]);
        assert_eq!(refused(&extract::AGENT, &Inputs::Thread(thread)), None);
    }
}
