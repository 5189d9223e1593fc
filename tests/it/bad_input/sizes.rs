//! As large as GitHub lets it be.

use countersign::sandbox::{FaultKind, FaultRule};

use super::{TASKS, approve, asked, holds};
use crate::world::{Setup, World};

#[tokio::test]
async fn a_thread_of_65_000_characters_is_read_to_its_end() {
    let world = World::new().await;
    let mut body = String::from("- [ ] Measure the checkout\n\n");
    while body.chars().count() < 64_900 {
        body.push_str("It was slow then and it is slow now, said everybody who was asked about it.\n\n");
    }
    body.push_str("- [ ] Add an index to orders\n");
    let issue = asked(&world, &body).await;
    holds(
        &world.card(issue),
        &["2 tasks", "Measure the checkout", "Add an index to orders"],
    );
    world.end().await;
}

#[tokio::test]
async fn one_task_of_65_000_characters_is_cut_and_its_card_fits() {
    let world = World::new().await;
    let body = format!(
        "- [ ] Repair {}\n- [ ] Add an index to orders\n",
        "everything and ".repeat(4_300)
    );
    let issue = asked(&world, &body).await;
    let card = world.card_comment(issue).unwrap();
    assert!(card.body.chars().count() <= 65_536);
    approve(&world, issue).await;
    assert_eq!(world.opened().len(), 2, "{}", world.card(issue));
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn five_hundred_comments_are_read() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "See below.");
    for n in 1..=499 {
        let who = ["alice", "bob", "carol", "rita", "mallory"][n % 5];
        let text = match n {
            1 => "TODO: measure the checkout".to_owned(),
            499 => "TODO: add an index to orders".to_owned(),
            _ => format!("I have seen it {n} times."),
        };
        world.github.as_(who).comment(issue, &text).unwrap();
    }
    world.say("alice", issue, "/deliver").await;
    let card = world.card(issue);
    holds(&card, &["2 tasks", "easure the checkout", "dd an index to orders"]);
    assert!(!card.contains("were not read"), "{card}");
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn more_comments_than_the_limit_are_counted_aloud() {
    let world = Setup::new()
        .config("version: 1\nlimits:\n  comments: 10\n")
        .start()
        .await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout");
    for n in 1..=14 {
        world
            .github
            .as_("bob")
            .comment(issue, &format!("TODO: repair part {n}"))
            .unwrap();
    }
    world.say("alice", issue, "/deliver").await;
    holds(
        &world.card(issue),
        &["5 comments were not read", "`limits.comments` is 10"],
    );
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn three_hundred_tasks_are_shown_in_full_before_they_can_be_approved_and_what_is_opened_is_counted() {
    let world = Setup::new().config("version: 1\nlimits:\n  tasks: 300\n").start().await;
    let body: String = (1..=300)
        .map(|n| format!("- [ ] Repair part {n} of the checkout, which was broken by the last release\n"))
        .collect();
    let issue = world.issue("Everything is broken", &body);
    world.say("alice", issue, "/deliver").await;
    let card = world.card_comment(issue).unwrap();
    assert!(card.body.encode_utf16().count() <= 65_536);
    let digest = world.digest(issue);
    let mut shown = world.hear(issue);
    shown.push(world.card(issue));
    let shown = shown.join("\n");
    for n in 1..=300 {
        assert!(
            shown.contains(&format!("Repair part {n} of the checkout")),
            "part {n} was not shown"
        );
    }
    // After the twelfth GitHub has an outage, in which somebody has second thoughts.
    let down = |method: &str, path: &str| method == "POST" && path.ends_with("/shop/issues");
    world
        .github
        .fault(FaultRule::when(down, FaultKind::Status(503)).after(12));
    world.say("bob", issue, &format!("/approve {digest}")).await;
    assert_eq!(world.opened().len(), 12);
    world.hear(issue);
    world.say("alice", issue, "/cancel twelve are enough").await;
    world.github.heal();
    world.wait(3600).await;
    let opened = world.opened();
    assert_eq!(opened.len(), 12);
    let card = world.card(issue);
    holds(&card, &["cancelled", &format!("#{}", opened[11].number)]);
    assert_eq!(world.hear(issue), Vec::<String>::new());
    world.end().await;
}

#[tokio::test]
async fn emoji_and_right_to_left_titles_arrive_whole() {
    let world = World::new().await;
    let titles = [
        "إصلاح صفحة الدفع",
        "Fix the 🛒 checkout 👩‍👩‍👧‍👦",
        "תיקון עגלת הקניות",
        "修复结账页面",
    ];
    let mut body = String::from("- [ ] Override \u{202e}txt.exe\n");
    for title in titles {
        body.push_str(&format!("- [ ] {title}\n"));
    }
    let issue = world
        .github
        .as_("alice")
        .open_issue("🛒 דף התשלום איטי \u{202e}evil", &body)
        .unwrap();
    world.say("alice", issue, "/deliver").await;
    holds(&world.card(issue), &titles);
    approve(&world, issue).await;
    let opened: Vec<_> = world.opened().into_iter().map(|opened| opened.title).collect();
    for title in titles {
        assert!(
            opened.iter().any(|opened| opened == title),
            "{title} is not in {opened:#?}"
        );
    }
    // What turns the reading direction around is not carried on.
    assert!(!opened.iter().any(|title| title.contains('\u{202e}')), "{opened:?}");
    world.wait(20).await;
    world.label("bob", issue, "countersign:approve").await;
    assert_eq!(world.mails().len(), 1, "{}", world.card(issue));
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn an_issue_without_a_text_has_no_tasks_and_a_reader_is_told_the_forms() {
    let world = World::new().await;
    let issue = asked(&world, "").await;
    holds(&world.card(issue), &["- [ ] Verb", "TODO:"]);
    let other = asked(&world, TASKS).await;
    holds(&world.card(other), &["2 tasks"]);
    world.end().await;
}
