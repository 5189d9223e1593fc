//! How much is written to GitHub: what was approved, and a rest that does not grow with it.

use crate::world::World;

const THINGS: [&str; 12] = [
    "orders",
    "invoices",
    "customers",
    "prices",
    "addresses",
    "vouchers",
    "returns",
    "ratings",
    "pictures",
    "stocks",
    "suppliers",
    "carriers",
];

/// How many requests of this kind changed something.
struct Written {
    issues: usize,
    links: usize,
    dependencies: usize,
    /// Labels are made: four of the bot once for each repository, one that was approved.
    labels: usize,
    /// 👀 and 🚀.
    reactions: usize,
    /// The card, its edits, the calls to its gates, the last word.
    rest: Vec<String>,
}

impl Written {
    fn to(world: &World) -> Self {
        let mut written = Self {
            issues: 0,
            links: 0,
            dependencies: 0,
            labels: 0,
            reactions: 0,
            rest: Vec::new(),
        };
        let requests = world.github.requests().into_iter();
        for request in requests.filter(|request| request.method != "GET" && request.path.starts_with("/repos/")) {
            match request.path.rsplit('/').next().unwrap() {
                "issues" => written.issues += 1,
                "sub_issues" => written.links += 1,
                "blocked_by" => written.dependencies += 1,
                "labels" => written.labels += 1,
                "reactions" => written.reactions += 1,
                _ => written.rest.push(format!("{} {}", request.method, request.path)),
            }
        }
        written
    }
}

#[tokio::test]
async fn each_task_takes_an_issue_and_a_link_each_dependency_one_write_and_little_is_written_besides() {
    const COMMANDS: usize = 3;
    let tasks = THINGS.len();
    let world = World::new().await;
    let mut opening = "The shop moves to the new host.\n\n".to_owned();
    for (thing, number) in THINGS.iter().zip(0..) {
        let after = if number % 3 == 2 {
            format!(", after t{number}")
        } else {
            String::new()
        };
        opening.push_str(&format!("- [ ] Export the {thing}{after}\n"));
    }
    let issue = world.issue("Move the shop", &opening);
    world.say("alice", issue, "/deliver").await;
    for _ in 0..2 {
        world.is_called(issue);
        world.wait(20).await;
        world.approve("bob", issue).await;
    }
    let said = world.hear(issue);
    assert_eq!(world.mails().len(), 1, "{said:?}");

    let written = Written::to(&world);
    assert_eq!(
        (written.issues, written.links, written.dependencies),
        (tasks, tasks, tasks / 3)
    );
    assert_eq!((written.labels, written.reactions), (5, 2 * COMMANDS));
    assert!(written.rest.len() <= 8, "{:#?}", written.rest);
    world.end().await;
}
