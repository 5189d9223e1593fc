use super::*;
use crate::config::Vocabulary;

const VERBS: &[(&str, Right)] = &[("approve", Right::Write), ("deliver", Right::Triage)];

fn level(setter: Setter, text: &str) -> Level {
    let text = format!("version: 1\n{text}");
    let vocabulary = Vocabulary {
        verbs: VERBS,
        taken: &[],
        definitions: None,
        offer: None,
        agents: None,
        children: None,
    };
    Level::of(setter, RepositoryConfig::parse(&text, vocabulary).unwrap(), &text)
}

fn joined(owner: &str, repository: &str) -> Joined {
    under_all("", owner, repository)
}

fn under_all(server: &str, owner: &str, repository: &str) -> Joined {
    let usable = Usable {
        definition: &|name| name != "gone",
        provider: &|name| name.to_string() != "http:elsewhere",
    };
    let levels = Levels {
        server: &level(Setter::Server, server),
        owner: &level(Setter::Owner, owner),
        repository: &level(Setter::Repository, repository),
    };
    join(levels, usable)
}

fn by(origin: &Origin) -> Vec<Setter> {
    origin.by.iter().copied().collect()
}

fn origin<'a>(joined: &'a Joined, key: &str) -> &'a Origin {
    joined.origins.iter().find(|origin| origin.key == key).unwrap()
}

#[test]
fn a_right_is_raised_by_either_and_lowered_by_none() {
    let owner = "permissions: {approve: maintain, deliver: write}";
    let found = joined(owner, "permissions: {approve: admin, deliver: triage}");
    assert_eq!(found.config.permissions["approve"], Right::Admin);
    assert_eq!(found.config.permissions["deliver"], Right::Write);
    assert_eq!(by(origin(&found, "permissions.approve")), [Setter::Repository]);
    assert_eq!(by(origin(&found, "permissions.deliver")), [Setter::Owner]);
    let lower = joined("permissions: {approve: admin}", "permissions: {approve: maintain}");
    assert_eq!(lower.config.permissions["approve"], Right::Admin);
    assert_eq!(
        origin(&lower, "permissions.approve").without_effect.as_deref(),
        Some("maintain")
    );
}

#[test]
fn mail_goes_to_whom_the_owner_names_and_to_nobody_else() {
    let owner = "mail: {to: [Team <team@example.org>, boss@example.org]}";
    let inherited = joined(owner, "");
    assert_eq!(inherited.config.mail.to.len(), 2);
    let fewer = joined(owner, "mail: {to: [TEAM@example.org, me@evil.test]}");
    let to: Vec<_> = fewer.config.mail.to.iter().map(|one| one.address()).collect();
    assert_eq!(to, ["TEAM@example.org"]);
    assert_eq!(origin(&fewer, "mail").without_effect.as_deref(), Some("me@evil.test"));
    let nobody = joined(owner, "mail: {to: [me@evil.test], cc: [boss@example.org]}");
    assert_eq!(nobody.config.mail, Recipients::default());
    let free = joined("", "mail: {to: [me@example.org]}");
    assert_eq!(free.config.mail.to.len(), 1);
}

#[test]
fn limits_and_caps_are_lowered_and_not_raised() {
    let owner = "limits: {tasks: 10}\ncaps: {run: {tokens: 100}}";
    let found = joined(owner, "limits: {tasks: 20, comments: 30}\ncaps: {run: {tokens: 200}}");
    assert_eq!((found.config.limits.tasks, found.config.limits.comments), (10, 30));
    assert_eq!(found.config.caps.run.tokens, Some(100));
    assert_eq!(joined(owner, "limits: {tasks: 5}").config.limits.tasks, 5);
    // A limit that the owner names may be above the default.
    assert_eq!(joined("limits: {tasks: 200}", "").config.limits.tasks, 200);
}

#[test]
fn an_owner_turns_guidelines_off_for_all_and_names_a_file_for_who_names_none() {
    let (off, path, other) = ("guidelines: off", "guidelines: docs/a.md", "guidelines: docs/b.md");
    let at = |path: &str| GuidelinesFile::At(path.to_owned());
    let (above, below) = ([Setter::Owner].as_slice(), [Setter::Repository].as_slice());
    for (owner, own, holds, decided, without) in [
        (off, path, GuidelinesFile::Off, above, Some("docs/a.md")),
        (off, "", GuidelinesFile::Off, above, None),
        (
            off,
            off,
            GuidelinesFile::Off,
            &[Setter::Owner, Setter::Repository],
            None,
        ),
        (path, off, GuidelinesFile::Off, below, None),
        (path, other, at("docs/b.md"), below, None),
        (path, "", at("docs/a.md"), above, None),
        ("", other, at("docs/b.md"), below, None),
    ] {
        let found = joined(owner, own);
        assert_eq!(found.config.guidelines, holds, "{owner} / {own}");
        let origin = origin(&found, "guidelines");
        assert_eq!(
            (by(origin).as_slice(), origin.without_effect.as_deref()),
            (decided, without),
            "{owner} / {own}"
        );
    }
    let silent = joined("", "");
    assert_eq!(silent.config.guidelines, GuidelinesFile::AsDefined);
    assert!(!silent.origins.iter().any(|origin| origin.key == "guidelines"));
    let lower = joined("limits: {guidelines: 100}", "limits: {guidelines: 200}");
    assert_eq!(lower.config.limits.guidelines, 100);
}

#[test]
fn a_definition_and_a_provider_are_the_repositorys_to_choose() {
    let owner = "definition: tasks\nproviders: {extract: manual}";
    let silent = joined(owner, "");
    assert_eq!(silent.config.definition, "tasks");
    assert_eq!(silent.config.providers.extract, ProviderName::Manual);
    // What is the default when nobody says anything can be chosen against the owner's.
    let chosen = joined(owner, "definition: deliver\nproviders: {extract: rules}");
    assert_eq!(chosen.config.definition, "deliver");
    assert_eq!(chosen.config.providers.extract, ProviderName::Rules);
    // What cannot be had here is not inherited.
    assert_eq!(joined("definition: gone", "").config.definition, "deliver");
    let elsewhere = joined("providers: {extract: 'http:elsewhere'}", "");
    assert_eq!(elsewhere.config.providers.extract, ProviderName::Manual);
}

#[test]
fn a_provider_that_the_owner_does_not_allow_is_a_person() {
    let owner = "providers: {allowed: [rules, 'http:house']}";
    let found = joined(
        owner,
        "providers: {extract: 'http:other', email: 'http:house', roles: {reviewer: 'http:other'}}",
    );
    let providers = &found.config.providers;
    assert_eq!(providers.extract, ProviderName::Manual);
    assert_eq!(providers.email.to_string(), "http:house");
    assert_eq!(providers.roles["reviewer"], ProviderName::Manual);
    assert_eq!(
        origin(&found, "providers.extract").without_effect.as_deref(),
        Some("http:other")
    );
    let more = joined(owner, "providers: {allowed: ['http:other', rules]}");
    assert_eq!(more.config.providers.allowed, Some(vec![ProviderName::Rules]));
    // A file that says nothing takes the default, where that is allowed.
    let silent = joined("providers: {allowed: ['http:house']}", "");
    assert_eq!(silent.config.providers.extract, ProviderName::Manual);
}

#[test]
fn the_servers_policy_stands_above_both() {
    let server = "permissions: {approve: admin}\nlimits: {tasks: 5}\nmail: {to: [team@example.org, boss@example.org]}\n\
                  providers: {allowed: [rules, manual]}\naliases: {go: deliver}\n";
    let owner = "permissions: {approve: maintain}\nlimits: {tasks: 9}\nmail: {to: [boss@example.org, x@evil.test]}\n";
    let own = "permissions: {approve: write, deliver: write}\nlimits: {tasks: 7}\nmail: {to: [boss@example.org, me@evil.test]}\n\
               providers: {extract: 'http:local'}\n";
    let found = under_all(server, owner, own);
    assert_eq!(found.config.permissions["approve"], Right::Admin);
    let approve = origin(&found, "permissions.approve");
    assert_eq!(by(approve), [Setter::Server]);
    assert_eq!(approve.without_effect.as_deref(), Some("maintain"));
    assert_eq!(by(origin(&found, "permissions.deliver")), [Setter::Repository]);
    assert_eq!(found.config.limits.tasks, 5);
    assert_eq!(by(origin(&found, "limits.tasks")), [Setter::Server]);
    let to: Vec<_> = found.config.mail.to.iter().map(|one| one.address()).collect();
    assert_eq!(to, ["boss@example.org"]);
    assert_eq!(
        by(origin(&found, "mail")),
        [Setter::Server, Setter::Owner, Setter::Repository]
    );
    assert_eq!(found.config.providers.extract, ProviderName::Manual);
    let extract = origin(&found, "providers.extract");
    assert_eq!(by(extract), [Setter::Server]);
    assert_eq!(extract.without_effect.as_deref(), Some("http:local"));
    assert_eq!(found.config.aliases["go"], "deliver");
}

#[test]
fn a_recipient_that_the_owner_leaves_out_does_not_come_back_by_the_server() {
    let server = "mail: {to: [team@example.org, boss@example.org]}";
    let owner = "mail: {to: [boss@example.org]}";
    let nobody = under_all(server, owner, "mail: {to: [team@example.org]}");
    assert_eq!(nobody.config.mail, Recipients::default());
    let boss = under_all(server, owner, "");
    assert_eq!(boss.config.mail.to.len(), 1);
}

#[test]
fn what_is_told_is_what_both_let_be_told() {
    let told = |owner, repository| {
        let found = joined(owner, repository);
        let words = found.config.notifications.as_ref().map(|kinds| {
            let words: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            words.join(" ")
        });
        (words, found)
    };
    assert_eq!(told("", "").0, None, "all that the endpoints ask for");
    assert_eq!(told("", "notifications: []").0.as_deref(), Some(""));
    assert_eq!(told("notifications: [failed]", "").0.as_deref(), Some("failed"));
    let (both, found) = told("notifications: [failed, waiting]", "notifications: [waiting, started]");
    assert_eq!(both.as_deref(), Some("waiting"));
    let origin = origin(&found, "notifications");
    assert_eq!(origin.value, "waiting");
    assert_eq!(by(origin), [Setter::Owner, Setter::Repository]);
    assert_eq!(origin.without_effect.as_deref(), Some("started"));
    let (none, found) = told("notifications: [failed]", "notifications: [waiting]");
    assert_eq!(none.as_deref(), Some(""));
    let nothing = found
        .origins
        .iter()
        .find(|origin| origin.key == "notifications")
        .unwrap();
    assert_eq!(nothing.value, "nothing");
    // The server's policy may say it for everybody.
    let policy = under_all("notifications: [failed]", "", "notifications: [waiting, failed]");
    let kinds: Vec<_> = policy.config.notifications.iter().flatten().copied().collect();
    assert_eq!(kinds, [Kind::Failed]);
}
