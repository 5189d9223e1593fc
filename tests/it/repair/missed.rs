//! Deliveries that did not arrive while the server was down, or do not come at all.

use chrono::TimeDelta;
use countersign::inbox::sweep::EVERY;
use countersign::sandbox::{FaultKind, FaultRule};

use super::{changes_nothing_more, doctor, history, open};
use crate::bad_input::{TASKS, approve, asked, figure, holds, opened};
use crate::world::{Base, Setup, World};

#[tokio::test]
async fn a_server_that_was_down_for_two_hours_misses_nothing() {
    let mut world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.sweep().await;
    let line = format!("/approve {}", world.digest(issue));
    world.stop().await;
    world.github.as_("bob").comment(issue, &line).unwrap();
    world.github.deliver_all().await;
    world.clock.advance(TimeDelta::hours(2));
    world.restart().await;
    let swept = world.sweep().await;
    assert_eq!((swept.missing, swept.gap), (1, None));
    world.settle().await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2);
    changes_nothing_more(&world, issue).await;
    world.end().await;
}

#[tokio::test]
async fn a_server_that_was_down_for_five_days_reads_what_was_said_and_says_so() {
    let mut world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.sweep().await;
    let line = format!("/approve {}", world.digest(issue));
    world.stop().await;
    world.github.as_("bob").comment(issue, &line).unwrap();
    world.github.deliver_all().await;
    world.clock.advance(TimeDelta::days(5));
    world.restart().await;
    let swept = world.sweep().await;
    let gap = swept.gap.expect("GitHub keeps three days");
    assert_eq!((swept.missing, swept.asked), (0, 0));
    assert_eq!(gap.length().num_days(), 2);
    // The sweep has all workflows compared with GitHub.
    world.settle().await;
    let heard = world.hear(issue).join("\n");
    holds(&heard, &["GitHub never told me of [a comment]", "act on it now"]);
    assert_eq!(world.opened().len(), 2, "{}", world.card(issue));
    let found = history(&world).await;
    let found = found.iter().find(|stored| stored.event.name() == "repaired");
    assert!(format!("{:?}", found.unwrap().event).contains("Unheard"));
    holds(&world.card(issue), &["of which GitHub had not told"]);
    if let Some(found) = doctor(&mut world).await {
        holds(&found, &["nobody looked for deliveries"]);
    }
    changes_nothing_more(&world, issue).await;
    world.end().await;
}

#[tokio::test]
async fn a_time_in_which_nobody_looked_is_a_figure() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.sweep().await;
    assert_eq!(figure(&world, "countersign_deliveries_gap_seconds").await, 0.0);
    world.clock.advance(TimeDelta::days(5));
    assert!(world.sweep().await.gap.is_some());
    let gap = figure(&world, "countersign_deliveries_gap_seconds").await;
    assert!((172_800.0..172_900.0).contains(&gap), "{gap}");
    assert_eq!(world.sweep().await.gap, None, "from then on it is looked for again");
    changes_nothing_more(&world, issue).await;
    world.end().await;
}

#[tokio::test]
async fn what_is_asked_for_in_vain_is_told_of_and_then_lost() {
    let mut world = World::new().await;
    let issue = asked(&world, TASKS).await;
    world.sweep().await;
    world.github.as_("rita").comment(issue, "Is there news?").unwrap();
    world.github.lose_next().unwrap();
    let mut asked = 0;
    let mut late = 0;
    for _ in 0..40 {
        world.clock.advance(TimeDelta::hours(1));
        let swept = world.sweep().await;
        asked += swept.asked;
        late += swept.late;
        while world.github.lose_next().is_some() {}
    }
    assert!((10..16).contains(&asked), "it was asked for {asked} times in 40 hours");
    assert_eq!(late, 1, "the alarm is given once");
    assert_eq!(
        figure(&world, "countersign_deliveries_missed{state=\"late\"}").await,
        1.0
    );
    world.clock.advance(TimeDelta::hours(33));
    assert_eq!(world.sweep().await.lost, 1);
    assert_eq!(
        figure(&world, "countersign_deliveries_missed{state=\"late\"}").await,
        0.0
    );
    assert_eq!(
        figure(&world, "countersign_deliveries_missed{state=\"lost\"}").await,
        1.0
    );
    assert_eq!(world.sweep().await.asked, 0);
    if let Some(found) = doctor(&mut world).await {
        holds(&found, &["(issue_comment", "GitHub does not keep it any more"]);
    }
    let vain = world.house().engine.store().missed_in_vain().await.unwrap();
    assert_eq!(
        (vain.len(), vain[0].event.as_str(), vain[0].lost),
        (1, "issue_comment", true)
    );
    world.end().await;
}

#[tokio::test]
async fn a_sweep_that_github_interrupts_looks_back_as_far_the_next_time() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.settle().await;
    world.sweep().await;
    world.github.as_("alice").comment(issue, "/deliver").unwrap();
    world.github.lose_next().unwrap();
    world
        .github
        .fault(FaultRule::on("GET", "/app/hook/deliveries", FaultKind::Status(500)).times(3));
    for _ in 0..3 {
        world.clock.advance(TimeDelta::minutes(20));
        assert!(world.house().sweep_once().await.is_err());
    }
    assert_eq!(world.sweep().await.asked, 1);
    world.settle().await;
    holds(&world.card(issue), &["2 tasks"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn two_servers_on_one_database_sweep_once_in_each_interval() {
    let world = Setup::new().on(Base::Postgres).start().await;
    let other = world.another_house().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.settle().await;
    world.github.as_("alice").comment(issue, "/deliver").unwrap();
    world.github.lose_next().unwrap();
    let listed = || {
        let requests = world.github.requests();
        let lists = requests.iter().filter(|request| request.path == "/app/hook/deliveries");
        lists.count()
    };
    for round in 1..=3 {
        world.clock.advance(EVERY);
        let (one, two) = tokio::join!(world.house().sweep_once(), other.sweep_once());
        let done = [one.unwrap(), two.unwrap()];
        assert_eq!(done.iter().flatten().count(), 1, "{done:?}");
        assert_eq!(listed(), round);
        world.settle().await;
    }
    let (one, two) = tokio::join!(world.house().engine.upkeep(), other.engine.upkeep());
    assert_eq!([one.unwrap(), two.unwrap()].iter().flatten().count(), 1);
    holds(&world.card(issue), &["2 tasks"]);
    world.hear(issue);
    assert_eq!(open(&world).await.len(), 1);
    other.engine.store().close().await;
    world.end().await;
}

#[tokio::test]
async fn two_servers_that_compare_at_the_same_moment_do_it_once() {
    let world = Setup::new().on(Base::Postgres).start().await;
    let other = world.another_house().await;
    let issue = opened(&world, TASKS).await;
    world.clock.advance(TimeDelta::minutes(20));
    let line = format!("/approve {}", world.digest(issue));
    world.github.as_("bob").comment(issue, &line).unwrap();
    world.github.drop_all();
    world.clock.advance(TimeDelta::minutes(2));
    for _ in 0..3 {
        let (one, two) = tokio::join!(world.house().engine.reconcile_all(), other.engine.reconcile_all());
        one.unwrap();
        two.unwrap();
        let (one, two) = tokio::join!(world.house().engine.pump(), other.engine.pump());
        one.unwrap();
        two.unwrap();
    }
    world.settle().await;
    world.hear(issue);
    assert_eq!(world.mails().len(), 1, "{}", world.card(issue));
    other.engine.store().close().await;
    world.end().await;
}

#[tokio::test]
async fn approving_goes_on_while_everything_is_compared() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let requests = world.github.requests().len();
    world.reconcile().await;
    let asked: Vec<String> = world.github.requests()[requests..]
        .iter()
        .map(|request| format!("{} {}", request.method, request.path))
        .collect();
    assert!(asked.iter().all(|request| request.starts_with("GET")), "{asked:#?}");
    assert!(asked.len() <= 4, "few requests: {asked:#?}");
    approve(&world, issue).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2);
    changes_nothing_more(&world, issue).await;
    world.end().await;
}
