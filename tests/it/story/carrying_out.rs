//! What was approved is carried out: issues with all that belongs to them, then the mail.

use countersign::sandbox::{FaultKind, FaultRule, Feature, IssueView};

use super::{says, says_not};
use crate::world::{Setup, World};

fn named<'a>(issues: &'a [IssueView], title: &str) -> &'a IssueView {
    let found = issues.iter().find(|issue| issue.title == title);
    found.unwrap_or_else(|| panic!("“{title}” was not opened: {issues:#?}"))
}

#[tokio::test]
async fn the_issues_are_sub_issues_and_wait_for_each_other() {
    let world = World::new().await;
    let issue = world.opened_all().await;
    let opened = world.opened();
    let numbers: Vec<_> = opened.iter().map(|issue| issue.number).collect();
    assert_eq!(world.github.sub_issues(issue), numbers);
    let measure = named(&opened, "Measure the checkout under load");
    let index = named(&opened, "Add an index to the orders table");
    assert_eq!(world.github.blocked_by(index.number), [measure.number]);
    assert!(world.github.blocked_by(measure.number).is_empty());
    world.end().await;
}

#[tokio::test]
async fn the_issues_bear_their_assignees_and_labels_made_when_missing() {
    let world = World::new().await;
    assert!(!world.github.repo_labels().contains(&"performance".to_owned()));
    world.opened_all().await;
    let opened = world.opened();
    let measure = named(&opened, "Measure the checkout under load");
    assert_eq!(measure.assignees, ["carol"]);
    assert_eq!(measure.labels, ["performance", "countersign"]);
    assert_eq!(named(&opened, "Write the runbook").assignees, ["bob"]);
    assert!(world.github.repo_labels().contains(&"performance".to_owned()));
    world.end().await;
}

#[tokio::test]
async fn an_issue_holds_text_criteria_facts_and_where_it_comes_from() {
    let world = World::new().await;
    let issue = world.delivered().await;
    world
        .say(
            "alice",
            issue,
            "/edit t3 criteria=\"who to call; how to roll back\" priority=high est=S",
        )
        .await;
    world.wait(20).await;
    world.approve("bob", issue).await;
    world.is_called(issue);
    let opened = world.opened();
    let runbook = &named(&opened, "Write the runbook").body;
    says(
        runbook,
        &[
            "It must cover paging.",
            "- [ ] who to call",
            "- [ ] how to roll back",
            "high",
            "2026-12-01",
            "will write the runbook",
            "bob in [this comment](",
            &format!("acme/shop#{issue}"),
        ],
    );
    says(runbook, &["`@bob`"]);
    world.end().await;
}

#[tokio::test]
async fn the_card_links_what_was_opened() {
    let world = World::new().await;
    let issue = world.opened_all().await;
    let card = world.card(issue);
    for opened in world.opened() {
        says(&card, &[&format!("[#{}](", opened.number), &opened.title]);
    }
    says(&card, &["3 issues opened", "approved by `bob`"]);
    world.end().await;
}

#[tokio::test]
async fn an_assignee_whom_github_does_not_take_is_dropped_with_a_word() {
    let world = World::new().await;
    let issue = world.delivered().await;
    world.say("mallory", issue, "Count me in!").await;
    world.say("alice", issue, "/revise mallory is here").await;
    world.is_called(issue);
    world.say("alice", issue, "/edit t3 assign=@mallory").await;
    world.wait(20).await;
    assert!(world.hear(issue).is_empty());
    world.approve("bob", issue).await;
    let card = world.card(issue);
    let opened = world.opened();
    assert!(named(&opened, "Write the runbook").assignees.is_empty());
    says_not(&card, &["· mallory"]);
    says(&card, &["GitHub would not take the assignee mallory"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn where_github_has_no_sub_issues_a_list_links_what_was_opened() {
    let world = Setup::new()
        .github(|github| github.without(Feature::SubIssues))
        .start()
        .await;
    let issue = world.delivered().await;
    world.approve("bob", issue).await;
    let heard = world.hear(issue);
    let opened = world.opened();
    assert_eq!(opened.len(), 3);
    let list = heard.iter().find(|text| text.contains("Opened for this")).unwrap();
    for issue in &opened {
        says(list, &[&format!("- [ ] #{}", issue.number), &issue.title]);
    }
    says(
        &world.card(issue),
        &[
            "Not linked",
            "as a sub-issue: this GitHub does not offer it",
            "[a list](",
        ],
    );
    world.end().await;
}

#[tokio::test]
async fn where_github_has_no_dependencies_the_issues_are_opened_without() {
    let world = Setup::new()
        .github(|github| github.without(Feature::Dependencies))
        .start()
        .await;
    let issue = world.delivered().await;
    world.approve("bob", issue).await;
    world.is_called(issue);
    says(
        &world.card(issue),
        &["Not linked", "as waiting for", "this GitHub does not offer it"],
    );
    assert_eq!(world.opened().len(), 3);
    assert_eq!(world.github.sub_issues(issue).len(), 3);
    world.end().await;
}

#[tokio::test]
async fn a_refused_act_says_so_and_retry_goes_on_where_it_stopped() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let only_issues = FaultRule::when(
        |method, path| method == "POST" && path == "/repos/acme/shop/issues",
        FaultKind::Status(403),
    );
    world.github.fault(only_issues.after(1));
    world.approve("bob", issue).await;
    let said = world.hear(issue).join("\n");
    says(&said, &["*Issues* failed", "/retry"]);
    assert_eq!(world.opened().len(), 1);
    world.github.heal();
    let asked = world.say("bob", issue, "/retry").await;
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    world.is_called(issue);
    assert_eq!(world.opened().len(), 3, "what was opened is not opened again");
    world.end().await;
}

#[tokio::test]
async fn the_mail_stands_on_the_card_with_recipients_subject_and_text() {
    let world = Setup::new()
        .config("version: 1\nmail:\n  to: [stakeholders@acme.example]\n  cc: [\"Ops <ops@acme.example>\"]\n")
        .start()
        .await;
    let issue = world.opened_all().await;
    let card = world.card(issue);
    says(
        &card,
        &[
            "Proposal",
            "a mail",
            "stakeholders@acme.example",
            "ops@acme.example",
            "**Subject**",
            "Measure the checkout under load",
            "/approve ",
        ],
    );
    for opened in world.opened() {
        says(&card, &[&format!("/issues/{}", opened.number)]);
    }
    assert!(world.mails().is_empty(), "nothing leaves before it was approved");
    world.end().await;
}

#[tokio::test]
async fn the_label_approves_what_is_shown_and_is_taken_off_again() {
    let world = World::new().await;
    let issue = world.opened_all().await;
    world.label("bob", issue, "countersign:approve").await;
    assert_eq!(world.mails().len(), 1);
    assert!(world.github.labels(issue).is_empty());
    let said = world.answer(issue);
    says(&said, &["Done.", "The mail was sent."]);
    says(&world.card(issue), &["label `countersign:approve`"]);
    world.end().await;
}

#[tokio::test]
async fn the_label_of_somebody_without_the_right_is_refused_and_taken_off() {
    let world = World::new().await;
    let issue = world.opened_all().await;
    world.label("carol", issue, "countersign:approve").await;
    let answer = world.answer(issue);
    says(&answer, &["To `carol`", "You may not", "write access", "bob"]);
    assert!(world.github.labels(issue).is_empty());
    assert!(world.mails().is_empty());
    world.end().await;
}

#[tokio::test]
async fn the_mail_goes_out_as_text_and_html_with_the_links_of_the_issues() {
    let world = World::new().await;
    let issue = world.opened_all().await;
    world.label("bob", issue, "countersign:approve").await;
    world.hear(issue);
    let mails = world.mails();
    let mail = &mails[0];
    let raw = mail.raw.replace("=\r\n", "").replace("=3D", "=").replace("&#x2f;", "/");
    says(&raw, &["multipart/alternative", "text/plain", "text/html"]);
    for opened in world.opened() {
        let url = format!("/acme/shop/issues/{}", opened.number);
        assert!(raw.matches(&url).count() >= 2, "the text and the HTML link {url}");
    }
    assert_eq!(mail.header("To").as_deref(), Some("stakeholders@acme.example"));
    assert!(
        mail.header("Message-ID")
            .is_some_and(|id| id.starts_with('<') && id.ends_with('>'))
    );
    assert!(
        mail.header("Subject")
            .is_some_and(|subject| subject.starts_with("3 issues opened from "))
    );
    assert!(mail.header("In-Reply-To").is_none(), "the first mail answers none");
    world.end().await;
}

#[tokio::test]
async fn the_mail_that_was_edited_is_the_mail_that_is_sent() {
    let world = World::new().await;
    let issue = world.opened_all().await;
    let old = world.digest(issue);
    world.say("alice", issue, "/edit subject=\"What we agreed on\"").await;
    says(&world.card(issue), &["What we agreed on", &format!("`{old}` is void")]);
    world.wait(20).await;
    world.say("bob", issue, "/approve").await;
    world.hear(issue);
    assert_eq!(world.mails()[0].header("Subject").as_deref(), Some("What we agreed on"));
    world.end().await;
}

#[tokio::test]
async fn without_recipients_the_mail_is_not_configured_and_the_workflow_ends() {
    let world = Setup::new().without_config().start().await;
    let issue = world.delivered().await;
    world.approve("bob", issue).await;
    let said = world.answer(issue);
    let card = world.card(issue);
    says(&said, &["Done.", "Opened:"]);
    says(
        &card,
        &["not configured", "`mail.to`", "`.github/countersign.yml`", "Record"],
    );
    world.end().await;
}

#[tokio::test]
async fn the_card_ends_as_the_record() {
    let world = World::new().await;
    let issue = world.discussion().await;
    world.say("carol", issue, "/deliver").await;
    world.is_called(issue);
    world.say("alice", issue, "/edit t1 est=S").await;
    world.wait(20).await;
    let tasks = world.digest(issue);
    world.say("bob", issue, &format!("/approve {tasks} looks right")).await;
    world.is_called(issue);
    world.wait(20).await;
    let mail = world.digest(issue);
    world.label("mona", issue, "countersign:approve").await;
    world.hear(issue);
    let card = world.card(issue);
    says(
        &card,
        &[
            "· done",
            "#### Record",
            "| `carol` | started it | [comment](",
            "| `alice` | changed Tasks",
            &format!("| `bob` | **approved** Tasks `{tasks}`"),
            "looks right",
            &format!("| `mona` | **approved** Mail `{mail}` | label `countersign:approve` |"),
            "2026-11-20 09:0",
            "The mail was handed over",
        ],
    );
    says_not(&card, &["`/approve ", "- [x]"]);
    world.end().await;
}
