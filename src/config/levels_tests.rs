use super::*;
use crate::config::Vocabulary;

const VERBS: &[(&str, Right)] = &[("approve", Right::Write), ("deliver", Right::Triage)];

fn level(text: &str) -> Level {
    let text = format!("version: 1\n{text}");
    let vocabulary = Vocabulary {
        verbs: VERBS,
        taken: &[],
        definitions: None,
        offer: None,
        agents: None,
        children: None,
    };
    Level::of(RepositoryConfig::parse(&text, vocabulary).unwrap(), &text)
}

fn joined(owner: &str, repository: &str) -> Joined {
    let usable = Usable {
        definition: &|name| name != "gone",
        provider: &|name| name.to_string() != "http:elsewhere",
    };
    join(&level(owner), &level(repository), usable)
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
    assert_eq!(origin(&found, "permissions.approve").by, Setter::Repository);
    assert_eq!(origin(&found, "permissions.deliver").by, Setter::Owner);
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
    for (owner, own, holds, by, without) in [
        (off, path, GuidelinesFile::Off, Setter::Owner, Some("docs/a.md")),
        (off, "", GuidelinesFile::Off, Setter::Owner, None),
        (off, off, GuidelinesFile::Off, Setter::Both, None),
        (path, off, GuidelinesFile::Off, Setter::Repository, None),
        (path, other, at("docs/b.md"), Setter::Repository, None),
        (path, "", at("docs/a.md"), Setter::Owner, None),
        ("", other, at("docs/b.md"), Setter::Repository, None),
    ] {
        let found = joined(owner, own);
        assert_eq!(found.config.guidelines, holds, "{owner} / {own}");
        let origin = origin(&found, "guidelines");
        assert_eq!(
            (origin.by, origin.without_effect.as_deref()),
            (by, without),
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
