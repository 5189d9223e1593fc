use serde_json::{Value, json};

use super::super::fixtures::mailing;
use super::super::{Amendment, Draft, Inputs, Mailing, Problem, ProblemKind, amend as amend_any, judge};
use super::{AGENT, Letter};
use crate::providers::rules;
use crate::workflow::act::{Deed, Mail};

fn answer() -> Value {
    json!({
        "subject": "Two issues", "intro": "First.\nStill first.\n\nSecond.",
        "items": [{"text": "Write it", "ref": "t1"}, {"text": "Limit it", "ref": "t3"}],
        "decisions_needed": [], "withheld": [], "safe_to_send": true,
    })
}

fn judged(answer: &Value) -> Result<Draft, Vec<Problem>> {
    judge(&AGENT, &answer.to_string(), &Inputs::Mailing(mailing()))
}

fn mail(draft: &Draft) -> &Mail {
    match &draft.acts.first().unwrap().deed {
        Deed::SendMail(mail) => mail,
        other => panic!("{other:?}"),
    }
}

fn letter(draft: &Draft) -> Letter {
    serde_json::from_value(draft.artifact.clone()).unwrap()
}

#[test]
fn the_mail_is_written_out_in_full() {
    let draft = judged(&answer()).unwrap();
    let mail = mail(&draft);
    assert_eq!(
        (&mail.to[..], mail.subject.as_str()),
        (&["team@example.org".to_owned()][..], "Two issues")
    );
    assert_eq!(
        mail.text,
        "First. Still first.\n\nSecond.\n\n\
         Opened from \"Login is slow\" (alice/shop#7):\n\n\
         - Write it\n  #8 · bob · due 2026-11-20\n  https://github.test/alice/shop/issues/8\n\
         - Limit it\n  #9\n  https://github.test/alice/shop/issues/9\n\n\
         The discussion: https://github.test/alice/shop/issues/7"
    );
    assert!(
        mail.html.contains(
            "<td><a href=\"https:&#x2f;&#x2f;github.test&#x2f;alice&#x2f;shop&#x2f;issues&#x2f;8\">#8</a></td>"
        ),
        "{}",
        mail.html
    );
    assert!(mail.html.contains("<p>Second.</p>"), "{}", mail.html);
}

#[test]
fn text_stays_text_in_html() {
    let mut answer = answer();
    answer["items"][0]["text"] = json!("a < b & c \"d\"");
    answer["intro"] = json!("1 < 2 & <script>alert(1)</script>");
    let draft = judged(&answer).unwrap();
    let html = &mail(&draft).html;
    assert!(html.contains("a &lt; b &amp; c &quot;d&quot;"), "{html}");
    assert!(!html.contains("<script"), "{html}");
}

#[test]
fn an_agent_writes_no_links_names_or_second_lines() {
    let mut answer = answer();
    answer["subject"] = json!(format!("Hi\r\nBcc: x\n@bob {}", "é".repeat(200)));
    answer["intro"] = json!("see https://evil.test and <a href=\"https://evil.test\">this</a>");
    let draft = judged(&answer).unwrap();
    let subject = &mail(&draft).subject;
    assert!(
        subject.starts_with("Hi Bcc: x bob é") && subject.chars().count() == 150,
        "{subject}"
    );
    assert_eq!(letter(&draft).intro, "see (link left out) and this");
}

#[test]
fn references_are_issues_that_were_opened_and_none_is_forgotten() {
    let mut unknown = answer();
    unknown["items"][1]["ref"] = json!("t2");
    unknown["decisions_needed"] = json!([{"text": "x", "ref": "#8"}]);
    let problems = judged(&unknown).unwrap_err();
    let at: Vec<&str> = problems.iter().map(|problem| problem.at.as_str()).collect();
    assert_eq!(at, ["/items/1/ref", "/decisions_needed/0/ref"]);
    assert!(problems[0].text.contains("t1, t3"), "{}", problems[0]);

    let mut forgetful = answer();
    forgetful["items"].as_array_mut().unwrap().remove(0);
    let letter = letter(&judged(&forgetful).unwrap());
    assert_eq!(
        letter.items.iter().map(|item| item.key.as_str()).collect::<Vec<_>>(),
        ["t3", "t1"]
    );
    assert_eq!(letter.items[1].text, "Write the runbook");
}

#[test]
fn what_must_not_leave_is_withheld() {
    let secret = ["xox", "b-123456789012-abcdef"].concat();
    let unsafe_one = {
        let mut answer = answer();
        answer["safe_to_send"] = json!(false);
        answer["withheld"] = json!([{"kind": "customer_data", "where": "the @intro", "reason": secret}]);
        answer
    };
    let problems = judged(&unsafe_one).unwrap_err();
    assert_eq!(problems[0].kind, ProblemKind::Withheld);
    assert!(
        problems[0]
            .text
            .contains("Withheld customer data: the intro: (not shown)"),
        "{}",
        problems[0]
    );
    for field in ["subject", "intro"] {
        for text in [secret.as_str(), "ask carol@example.org"] {
            let mut answer = answer();
            answer[field] = json!(text);
            let problems = judged(&answer).unwrap_err();
            assert_eq!(problems[0].kind, ProblemKind::Withheld, "{field}");
            assert!(!problems[0].text.contains(&secret), "{}", problems[0]);
        }
    }
    let mut leaky = mailing();
    leaky.title = "Ask carol@example.org".into();
    let problems = judge(&AGENT, &answer().to_string(), &Inputs::Mailing(leaky)).unwrap_err();
    assert_eq!(problems[0].kind, ProblemKind::Withheld);
}

#[test]
fn a_mail_needs_a_subject_and_recipients() {
    let mut blank = answer();
    blank["subject"] = json!(" <b></b> ");
    assert_eq!(judged(&blank).unwrap_err()[0].at, "/subject");
    let nobody = Mailing {
        to: Vec::new(),
        ..mailing()
    };
    let draft = judge(&AGENT, &answer().to_string(), &Inputs::Mailing(nobody)).unwrap();
    assert_eq!(draft.acts, []);
    assert!(draft.planned[0].contains("mail.to"), "{:?}", draft.planned);
}

#[test]
fn the_rules_write_a_mail_that_passes() {
    let inputs = Inputs::Mailing(mailing());
    let draft = judge(&AGENT, &rules::answer(&AGENT, &inputs).unwrap(), &inputs).unwrap();
    let mail = mail(&draft);
    assert_eq!(mail.subject, "2 issues opened from “Login is slow”");
    assert!(mail.text.contains("The first is due on 2026-11-20."), "{}", mail.text);
    assert!(
        mail.text
            .contains("To be decided:\n\n- Who takes “Limit logins & retries”? (#9)"),
        "{}",
        mail.text
    );
}

#[test]
fn people_edit_subject_and_intro_or_all_of_it() {
    let inputs = Inputs::Mailing(mailing());
    let draft = judged(&answer()).unwrap();
    let edit = |amendment: &Amendment| amend_any(&AGENT, &draft.artifact, amendment, &inputs);
    let change = |name: &str, value: &str| Amendment::Change {
        key: String::new(),
        fields: vec![(name.into(), value.into())],
    };
    assert_eq!(
        mail(&edit(&change("Subject", "New\nline")).unwrap()).subject,
        "New line"
    );
    assert!(
        mail(&edit(&change("intro", "See https://ok.test")).unwrap())
            .text
            .starts_with("See https://ok.test\n\nOpened")
    );
    let mut whole = letter(&draft);
    whole.items.swap(0, 1);
    whole.items[0].text = "Reworded".into();
    let replaced = edit(&Amendment::Replace(serde_json::to_string(&whole).unwrap())).unwrap();
    assert!(
        mail(&replaced).text.contains("- Reworded\n  #9"),
        "{}",
        mail(&replaced).text
    );
    for (amendment, sentence) in [
        (change("subjekt", "x"), "did you mean `subject`?"),
        (change("to", "x@example.org"), "has no field `to`"),
        (change("subject", " "), "needs a subject"),
        (change("intro", "password=hunter22"), "a password or key"),
        (change("intro", "x@example.org"), "an e-mail address"),
        (
            Amendment::Change {
                key: String::new(),
                fields: Vec::new(),
            },
            "nothing to change",
        ),
        (
            Amendment::Add {
                fields: Vec::new(),
                by: "x".into(),
            },
            "opened already",
        ),
        (
            Amendment::Select {
                key: "t1".into(),
                on: false,
            },
            "ticked",
        ),
        (
            Amendment::Replace(r#"{"subject":"x","intro":"","items":[{"key":"t9","text":"x"}],"decisions":[]}"#.into()),
            "`t9` names no opened issue",
        ),
        (Amendment::Replace("{}".into()), "that is not a mail"),
    ] {
        let error = edit(&amendment).unwrap_err();
        assert!(error.contains(sentence), "{amendment:?}: {error}");
    }
}

#[test]
fn hundreds_of_issues_fit_a_mail() {
    let mut large = mailing();
    let task = large.tasks[0].clone();
    large.tasks = (0..300)
        .map(|number| super::super::OpenedTask {
            key: format!("t{number}"),
            number,
            ..task.clone()
        })
        .collect();
    let inputs = Inputs::Mailing(large);
    let draft = judge(&AGENT, &rules::answer(&AGENT, &inputs).unwrap(), &inputs).unwrap();
    assert_eq!(mail(&draft).text.matches("\n- Write the runbook\n").count(), 300);
}
