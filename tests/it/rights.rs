//! Who may do what: everybody tries every verb and every label, each where somebody with the right would be heard.

use chrono::TimeDelta;
use countersign::sandbox::{FaultKind, FaultRule, IssueNumber, Level, Role, Tick};

use crate::world::{CONFIG, Setup, World};

mod asked_for_more;
mod lacking;
mod unchecked;

/// A stranger, a reader, a triager, a writer, a maintainer, an admin; two custom roles that come to write, one by its
/// `permissions` and one by its base under an odd name; the issue's author and an assignee, who have no right of their
/// own; another App's bot, with write.
const EVERYBODY: [&str; 11] = [
    "mallory",
    "rita",
    "carol",
    "bob",
    "mona",
    "ada",
    "sue",
    "rex",
    "olga",
    "ian",
    "renovate[bot]",
];

/// Who the answers name, by what is needed.
const WHO_CAN: [(&str, &str); 3] = [
    (
        "triage access",
        "`alice`, `bob`, `carol`, `mona`, `ada`, `sue` and `rex`",
    ),
    ("write access", "`alice`, `bob`, `mona`, `ada`, `sue` and `rex`"),
    ("the maintain role", "`mona` and `ada`"),
];

fn setup() -> Setup {
    Setup::new().github(|github| {
        github
            .person("sue", Role::custom("security", Level::Read, Level::Write))
            .person("rex", Role::custom("read-only guest", Level::Write, Level::Write))
            .stranger("olga")
            .stranger("ian")
            .member("ian")
    })
}

/// How far a workflow has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// None is open.
    Nothing,
    /// A proposal waits at its gate.
    Gate,
    /// The proposal was rejected.
    Rejected,
    /// Somebody holds it.
    Held,
    /// This person approved the proposal, or Bob where they may not; nothing was carried out yet.
    ApprovedByThem,
    /// Alice approved the proposal; nothing was carried out yet.
    ApprovedByAlice,
    /// A person has to answer in the agent's place.
    Manual,
}

/// How one speaks.
#[derive(Debug, Clone, Copy)]
enum Says {
    /// In a comment; what is asked is answered and changes nothing.
    Asks(&'static str),
    /// In a comment; the workflow changes.
    Orders(&'static str),
    /// By a label.
    Sets(&'static str),
    /// By the first box of the card.
    Unticks,
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comes {
    /// It is done.
    Done,
    /// It is refused, naming this need, and who can.
    Refused(&'static str),
    /// It is heard by nobody.
    Silence,
    /// GitHub itself does not let them.
    Impossible,
}

struct Row {
    at: At,
    says: Says,
    needs: &'static str,
    comes: [&'static str; 11],
}

impl Row {
    fn comes(&self) -> impl Iterator<Item = (&'static str, Comes)> + use<'_> {
        let comes = self.comes.iter().map(|mark| match *mark {
            "+" => Comes::Done,
            "-" => Comes::Refused(self.needs),
            "m" => Comes::Refused("the maintain role"),
            "_" => Comes::Silence,
            "x" => Comes::Impossible,
            mark => panic!("{mark} means nothing"),
        });
        EVERYBODY.into_iter().zip(comes)
    }
}

/// One test for each row. `+` it is done, `-` it is refused for the need named first, `m` it is refused for want of
/// maintain, `x` GitHub's own page does not offer it, `_` silence.
macro_rules! everybody_tries {
    ($($name:ident: $says:expr, $at:ident, $needs:literal, [$($mark:tt)*];)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                tries(&Row { at: At::$at, says: $says, needs: $needs, comes: [$(stringify!($mark)),*] }).await;
            }
        )*
    };
}

everybody_tries! {
//                                                                                         mal rit car bob mon ada sue rex olg ian bot
    help:             Says::Asks("/help"),                     Gate,            "",               [+ + + + + + + + + + _];
    status:           Says::Asks("/status"),                   Gate,            "",               [+ + + + + + + + + + _];
    who:              Says::Asks("/who"),                      Gate,            "",               [+ + + + + + + + + + _];
    explain:          Says::Asks("/explain"),                  Gate,            "",               [+ + + + + + + + + + _];
    hold:             Says::Orders("/hold"),                   Gate,            "triage access",  [- - + + + + + + + + _];
    cancel:           Says::Orders("/cancel"),                 Gate,            "write access",   [- - - + + + + + + - _];
    deliver:          Says::Orders("/deliver"),                Nothing,         "triage access",  [- - + + + + + + - - _];
    tasks:            Says::Orders("/tasks"),                  Nothing,         "triage access",  [- - + + + + + + - - _];
    task:             Says::Orders("/task Water the plants"),  Gate,            "triage access",  [- - + + + + + + - - _];
    prompt:           Says::Asks("/prompt"),                   Manual,          "triage access",  [- - + + + + + + - - _];
    edit:             Says::Orders("/edit t1 est=M"),          Gate,            "write access",   [- - - + + + + + - - _];
    tick:             Says::Unticks,                           Gate,            "write access",   [x x x + + + + + x x _];
    approve:          Says::Orders("/approve"),                Gate,            "write access",   [- - - + + + + + - - _];
    unapprove:        Says::Orders("/unapprove"),              ApprovedByThem,  "write access",   [- - - + + + + + - - _];
    unapprove_others: Says::Orders("/unapprove @alice"),       ApprovedByAlice, "write access",   [- - - m + + m m - - _];
    reject:           Says::Orders("/reject Not now."),        Gate,            "write access",   [- - - + + + + + - - _];
    revise:           Says::Orders("/revise Fewer."),          Gate,            "write access",   [- - - + + + + + - - _];
    retry:            Says::Orders("/retry"),                  Rejected,        "write access",   [- - - + + + + + - - _];
    unhold:           Says::Orders("/unhold"),                 Held,            "write access",   [- - - + + + + + - - _];
    respond:          Says::Orders(ANSWER),                    Manual,          "write access",   [- - - + + + + + - - _];
    deliver_by_label: Says::Sets("countersign:deliver"),       Nothing,         "triage access",  [x x + + + + + + x x _];
    approve_by_label: Says::Sets("countersign:approve"),       Gate,            "write access",   [x x - + + + + + x x _];
    reject_by_label:  Says::Sets("countersign:reject"),        Gate,            "write access",   [x x - + + + + + x x _];
    hold_by_label:    Says::Sets("countersign:hold"),          Gate,            "triage access",  [x x + + + + + + x x _];
}

/// What a person hands in where an agent would answer.
const ANSWER: &str = "/respond\n```json\n{\"tasks\": [], \"rejected\": [], \"questions\": []}\n```";

/// Olga opens an issue, Ian is assigned, and a workflow comes as far as it should.
async fn staged(world: &World, at: At, them: &str) -> IssueNumber {
    let olga = world.github.as_("olga");
    let issue = olga
        .open_issue("Checkout is slow", "- [ ] Measure the checkout\n- [ ] Add an index\n")
        .unwrap();
    world.github.as_("alice").assign(issue, &["ian"]).unwrap();
    if at != At::Nothing {
        world.say("alice", issue, "/deliver").await;
        world.wait(20).await;
    }
    match at {
        At::Nothing | At::Gate | At::Manual => {}
        At::Rejected => drop(world.say("bob", issue, "/reject No.").await),
        At::Held => drop(world.say("bob", issue, "/hold").await),
        At::ApprovedByThem | At::ApprovedByAlice => {
            let opens = |method: &str, path: &str| {
                method == "POST" && (path.ends_with("/shop/issues") || path.ends_with("/shop/labels"))
            };
            let later = FaultKind::TooManyRequests {
                retry_after: Some(3600),
            };
            world.github.fault(FaultRule::when(opens, later));
            let approver = if at == At::ApprovedByAlice { "alice" } else { them };
            world.say(approver, issue, "/approve").await;
        }
    }
    world.hear(issue);
    issue
}

/// Everything that workflows have become.
async fn versions(world: &World) -> Vec<(String, u64)> {
    let store = world.house().engine.store();
    let mut versions = Vec::new();
    for summary in store.list_workflows(false, 1000).await.unwrap() {
        let stored = store.workflow(&summary.id.as_str().into()).await.unwrap().unwrap();
        versions.push((summary.id, stored.state.version));
    }
    versions
}

async fn tries(row: &Row) {
    let config = match row.at {
        At::Manual => format!("{CONFIG}providers:\n  extract: manual\n"),
        _ => CONFIG.to_owned(),
    };
    let world = setup().config(&config).start().await;
    world.github.set_role("renovate[bot]", Role::Write);
    let mut issue = staged(&world, row.at, "bob").await;
    let mut used = false;
    // Those who are refused change nothing, so all of them try on the same issue.
    let (done, others): (Vec<_>, Vec<_>) = row.comes().partition(|(_, comes)| *comes == Comes::Done);
    for (who, comes) in others.into_iter().chain(done) {
        if used || row.at == At::ApprovedByThem && comes == Comes::Done {
            issue = staged(&world, row.at, who).await;
        }
        used = comes == Comes::Done && !matches!(row.says, Says::Asks(_));
        try_one(&world, row.says, issue, who, comes).await;
    }
    world.end().await;
}

async fn try_one(world: &World, says: Says, issue: IssueNumber, who: &str, comes: Comes) {
    let before = versions(world).await;
    let at = format!("{who} {says:?}");
    let (answers, verb) = match says {
        Says::Asks(text) | Says::Orders(text) => {
            let comment = world.say(who, issue, text).await;
            let expected: &[&str] = match comes {
                Comes::Done => &["eyes", "rocket"],
                Comes::Refused(_) => &["-1", "eyes"],
                Comes::Silence | Comes::Impossible => &[],
            };
            let answers = world.hear(issue);
            assert_eq!(world.reactions(comment), expected, "{at}: {answers:#?}");
            (answers, text)
        }
        Says::Sets(label) => {
            let set = world.github.as_(who).label(issue, label);
            assert_eq!(set.is_err(), comes == Comes::Impossible, "{at}");
            world.settle().await;
            let is_on = world.github.labels(issue).contains(&label.to_owned());
            assert_eq!(is_on, comes == Comes::Silence, "{at}: only what was heard is taken off");
            if is_on {
                world.github.as_("alice").unlabel(issue, label).unwrap();
            }
            (world.hear(issue), label)
        }
        Says::Unticks => {
            world.clock.advance(TimeDelta::seconds(1));
            let card = world.card_comment(issue).unwrap();
            let set = world.github.as_(who).tick(card.id, 1, Tick::Off);
            assert_eq!(set.is_err(), comes == Comes::Impossible, "{at}");
            world.settle().await;
            if comes == Comes::Silence {
                world.github.as_(who).tick(card.id, 1, Tick::On).unwrap();
            }
            (world.hear(issue), "/edit")
        }
    };
    let changed = versions(world).await != before;
    assert_eq!(
        changed,
        comes == Comes::Done && !matches!(says, Says::Asks(_)),
        "{at}: {answers:#?}"
    );
    match comes {
        Comes::Silence | Comes::Impossible => assert_eq!(answers, [""; 0], "{at}"),
        Comes::Refused(needs) => hear_refusal(&at, &answers, verb, needs),
        Comes::Done => {
            let refused = answers.iter().any(|answer| answer.contains("You may not"));
            assert!(!refused, "{at}: {answers:#?}");
        }
    }
}

/// One answer: it names the verb, what it needs, and exactly who can.
fn hear_refusal(at: &str, answers: &[String], said: &str, needs: &str) {
    let [answer] = answers else {
        panic!("{at}: one answer was expected: {answers:#?}");
    };
    let word = said.trim_start_matches("countersign:").trim_start_matches('/');
    let verb = word.split_whitespace().next().unwrap();
    let (_, who_can) = WHO_CAN.iter().find(|(right, _)| *right == needs).unwrap();
    let named = format!("Who can: {who_can}.");
    let need = format!("needs {needs}");
    assert!(answer.contains(&need) && answer.contains(&named), "{at}: {answer}");
    if needs != "the maintain role" {
        assert!(
            answer.contains(&format!("You may not: `/{verb}` {need} on the repository")),
            "{at}: {answer}"
        );
    }
}
