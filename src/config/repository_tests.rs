use super::*;

const VERBS: &[(&str, Right)] = &[
    ("help", Right::None),
    ("hold", Right::Triage),
    ("deliver", Right::Triage),
    ("approve", Right::Write),
    ("cancel", Right::Write),
];

const VOCABULARY: Vocabulary<'static> = Vocabulary {
    verbs: VERBS,
    taken: &["lgtm"],
    definitions: Some(&["deliver", "solve"]),
    offer: None,
    agents: None,
    children: None,
};

fn read(text: &str) -> RepositoryConfig {
    RepositoryConfig::parse(text, VOCABULARY).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn refuse(text: &str) -> Vec<String> {
    match RepositoryConfig::parse(text, VOCABULARY) {
        Ok(config) => panic!("{text:?} was taken as {config:?}"),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_shortest_file_is_the_default() {
    assert_eq!(read("version: 1\n"), RepositoryConfig::default());
    let default = RepositoryConfig::default();
    assert_eq!((default.limits.tasks, default.limits.comments), (50, 500));
    assert_eq!(default.definition, "deliver");
    assert_eq!(default.providers.extract, ProviderName::Rules);
    assert!(default.mail.to.is_empty());
}

#[test]
fn a_whole_number_may_be_written_with_a_point() {
    assert_eq!(read("version: 1.0\nlimits: {tasks: 5e1}\n").limits.tasks, 50);
    let huge = refuse("version: 1\nlimits: {tasks: 99999999999999999999999999999999999999999}\n");
    assert!(
        huge[0].starts_with("line 2, column 17: `limits.tasks` must be at most 300"),
        "{huge:?}"
    );
}

#[test]
fn everything_said() {
    let config = read(
        "version: 1
mail:
  to: [Team <team@example.org>, boss@example.org]
  cc: [\"archive@example.org\"]
permissions: {approve: maintain, deliver: write, hold: triage}
aliases: {ship: deliver, stop: cancel}
limits: {tasks: 300, comments: 1000}
definition: solve
providers: {extract: manual, email: rules}
",
    );
    let shown: Vec<_> = config.mail.to.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["Team <team@example.org>", "boss@example.org"]);
    assert_eq!(config.mail.cc.len(), 1);
    // Asking for the default is no change.
    assert_eq!(
        config.permissions,
        BTreeMap::from([
            ("approve".to_owned(), Right::Maintain),
            ("deliver".to_owned(), Right::Write)
        ])
    );
    assert_eq!(config.aliases.get("ship").map(String::as_str), Some("deliver"));
    assert_eq!((config.limits.tasks, config.limits.comments), (300, 1000));
    assert_eq!(config.definition, "solve");
    assert_eq!(
        (config.providers.extract, config.providers.email),
        (ProviderName::Manual, ProviderName::Rules)
    );
}

#[test]
fn guidelines_are_a_path_or_off() {
    assert_eq!(read("version: 1\n").guidelines, GuidelinesFile::AsDefined);
    assert_eq!(read("version: 1\n").limits.guidelines, 32 * 1024);
    assert_eq!(read("version: 1\nguidelines: off\n").guidelines, GuidelinesFile::Off);
    let named = GuidelinesFile::At("docs/agents.md".to_owned());
    assert_eq!(read("version: 1\nguidelines: docs/agents.md\n").guidelines, named);
    let read_again = serde_json::to_value(read("version: 1\n")).unwrap();
    assert!(read_again.get("guidelines").is_none(), "{read_again}");
}

#[test]
fn one_mistake_each() {
    for (text, wanted) in [
        (
            "version: 1\nguidelines: [AGENTS.md]\n",
            "line 2, column 13: `guidelines` must be text",
        ),
        (
            "version: 1\nguidelines: /etc/passwd\n",
            "line 2, column 13: `/etc/passwd` cannot be a file of the repository: the path is absolute",
        ),
        (
            "version: 1\nlimits: {guidelines: 131073}\n",
            "line 2, column 22: `limits.guidelines` must be at most 131072",
        ),
        (
            "version: 1\nlimits: {guidelines: 0}\n",
            "`limits.guidelines` must be at least 1",
        ),
        ("", "line 1, column 1: the file lacks `version`; add it"),
        ("# nothing yet\n", "the file lacks `version`"),
        ("- version: 1\n", "line 1, column 1: the file must be a mapping"),
        ("mail: {to: [a@b.example]}\n", "the file lacks `version`"),
        ("version: 2\n", "line 1, column 10: `version` must be 1"),
        ("version: one\n", "line 1, column 10: `version` must be a whole number"),
        (
            "version: 1\npermisions: {}\n",
            "line 2, column 1: `permisions` is not known; did you mean `permissions`?",
        ),
        (
            "version: 1\nmail:\n  bcc: []\n",
            "line 3, column 3: `bcc` is not known in `mail`; did you mean `cc`?",
        ),
        (
            "version: 1\nmail: team@example.org\n",
            "line 2, column 7: `mail` must be a mapping",
        ),
        (
            "version: 1\nmail:\n  to: team@example.org\n",
            "line 3, column 7: `mail.to` must be a list",
        ),
        (
            "version: 1\nmail:\n  to:\n    - a@b.example\n    - nobody\n",
            "line 5, column 7: \"nobody\" has no @",
        ),
        (
            "version: 1\nmail:\n  to: [\"a@b.example\\r\\nBcc: c@d.example\"]\n",
            "line 3, column 8: \"a@b.example\\r\\nBcc: c@d.example\" holds a line break",
        ),
        (
            "version: 1\nmail:\n  to: [a@b.example]\n  cc: [A@b.example]\n",
            "line 4, column 8: a@b.example stands here twice",
        ),
        (
            "version: 1\nmail:\n  cc: [a@b.example]\n",
            "line 3, column 3: `mail.cc` stands without `mail.to`",
        ),
        (
            "version: 1\npermissions:\n  approve: triage\n",
            "line 3, column 12: `approve` needs write by default; a repository may ask for more, never for less",
        ),
        (
            "version: 1\npermissions:\n  approve: none\n",
            "line 3, column 12: `permissions.approve` must be one of `read`, `triage`, `write`, `maintain`, `admin`",
        ),
        (
            "version: 1\npermissions:\n  aprove: admin\n",
            "line 3, column 3: `aprove` is not a command; did you mean `approve`?",
        ),
        ("version: 1\npermissions: {lgtm: admin}\n", "`lgtm` is not a command"),
        (
            "version: 1\naliases: {approve: cancel}\n",
            "line 2, column 11: `approve` is a command already",
        ),
        (
            "version: 1\naliases: {lgtm: cancel}\n",
            "line 2, column 11: `lgtm` is a command already",
        ),
        (
            "version: 1\naliases: {ship: delivr}\n",
            "line 2, column 17: `delivr` is not a command; did you mean `deliver`?",
        ),
        (
            "version: 1\naliases: {Ship It: deliver}\n",
            "line 2, column 11: \"Ship It\" cannot be a command's name",
        ),
        (
            "version: 1\naliases: {a: ship, ship: deliver}\n",
            "line 2, column 14: `ship` is not a command",
        ),
        (
            "version: 1\nlimits: {tasks: 0}\n",
            "line 2, column 17: `limits.tasks` must be at least 1",
        ),
        (
            "version: 1\nlimits: {tasks: 301}\n",
            "`limits.tasks` must be at most 300",
        ),
        (
            "version: 1\nlimits: {tasks: many}\n",
            "`limits.tasks` must be a whole number",
        ),
        (
            "version: 1\nlimits: {tasks: 1.5}\n",
            "`limits.tasks` must be a whole number",
        ),
        (
            "version: 1\ndefinition: delivr\n",
            "line 2, column 13: there is no definition `delivr`; did you mean `deliver`?",
        ),
        (
            "version: 1\nproviders: {extract: 1}\n",
            "line 2, column 22: `providers.extract` must be text",
        ),
        (
            "version: 1\nproviders: {extract: gpt}\n",
            "line 2, column 22: `gpt` is no provider; write `rules`, `manual`, or `http:NAME` for an endpoint of the server",
        ),
        (
            "version: 1\ncaps: {day: {tokens: 1}}\n",
            "line 2, column 8: `day` is not known in `caps`; known: `person`, `repository`, `run`, `workflow`",
        ),
        (
            "version: 1\ncaps: {run: {tokens: 0}}\n",
            "line 2, column 22: `caps.run.tokens` must be at least 1; give a positive cap, or remove it",
        ),
        (
            "version: 1\ncaps: {person: {money: -1}}\n",
            "line 2, column 24: `caps.person.money` must be more than 0; give a positive cap, or remove it",
        ),
        (
            "version: 1\ncaps: {workflow: {money: 0.0000001}}\n",
            "line 2, column 26: `caps.workflow.money` has more than six decimals; round it",
        ),
    ] {
        let errors = refuse(text);
        assert!(errors.len() == 1 && errors[0].contains(wanted), "{text:?}: {errors:#?}");
    }
}

#[test]
fn every_mistake_is_listed_in_the_order_of_the_file() {
    let errors = refuse(
        "version: 1
mail: {to: [nobody, nowhere]}
aliases: {help: me}
limits: {tasks: 0, comment: 1}
mails: {}
permissions: {cancel: read, hop: admin}
providers: {email: x}
definition: x
",
    );
    let places: Vec<_> = errors.iter().map(|error| error.split(':').next().unwrap()).collect();
    assert_eq!(
        places,
        [
            "line 2, column 13",
            "line 2, column 21",
            "line 3, column 11",
            "line 3, column 17",
            "line 4, column 17",
            "line 4, column 20",
            "line 5, column 1",
            "line 6, column 23",
            "line 6, column 29",
            "line 7, column 20",
            "line 8, column 13",
        ],
        "{errors:#?}"
    );
}

#[test]
fn of_a_version_that_is_not_known_only_the_form_is_checked() {
    let errors = refuse("version: 2\nlimits: {tasks: 0}\ndefinition: x\n");
    assert_eq!(
        errors,
        [
            "line 1, column 10: `version` must be 1",
            "line 2, column 17: `limits.tasks` must be at least 1"
        ]
    );
}

#[test]
fn lists_are_bounded() {
    let many: Vec<_> = (0..51).map(|n| format!("n{n}@example.org")).collect();
    let errors = refuse(&format!("version: 1\nmail: {{to: [{}]}}\n", many.join(", ")));
    assert!(errors[0].contains("`mail.to` must hold at most 50 items"), "{errors:?}");
    let many: Vec<_> = (0..51).map(|n| format!("a{n}: help")).collect();
    let errors = refuse(&format!("version: 1\naliases: {{{}}}\n", many.join(", ")));
    assert!(
        errors[0].contains("`aliases` must hold at most 50 entries"),
        "{errors:?}"
    );
}

#[test]
fn a_checked_file_survives_being_stored() {
    let config = read("version: 1\nmail: {to: ['\"Doe, Jane\" <jane@example.org>']}\npermissions: {help: read}\n");
    let stored = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<RepositoryConfig>(&stored).unwrap(), config);
}

/// A server with three endpoints, one of them for acme's repositories only.
fn models() -> Models {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("server.yml");
    std::fs::write(
        &path,
        "models:
  endpoints:
    local: {dialect: ollama, model: m, context_tokens: 9000}
    cheap: {dialect: ollama, model: m, context_tokens: 9000}
    strong: {dialect: ollama, model: m, context_tokens: 9000, repositories: [acme/*]}
",
    )
    .unwrap();
    let overrides = super::super::Overrides {
        config: Some(path),
        ..super::super::Overrides::default()
    };
    let sources = super::super::Sources {
        overrides: &overrides,
        environment: &|_| None,
        check_key: None,
    };
    sources.models().unwrap()
}

fn offered(provider: &str, repository: Option<&str>) -> Result<ProviderName, String> {
    let models = models();
    let vocabulary = Vocabulary {
        offer: Some(Offer {
            models: &models,
            repository,
        }),
        ..VOCABULARY
    };
    let text = format!("version: 1\nproviders: {{extract: {provider}}}\n");
    match RepositoryConfig::parse(&text, vocabulary) {
        Ok(config) => Ok(config.providers.extract),
        Err(mistakes) => {
            assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
            Err(mistakes[0].to_string())
        }
    }
}

#[test]
fn a_repository_chooses_from_what_the_server_offers_it() {
    for (provider, repository) in [
        ("rules", Some("acme/shop")),
        ("http:local", Some("acme/shop")),
        ("http:strong", Some("ACME/shop")),
        ("http:strong", None),
        ("http:local", None),
    ] {
        let chosen = offered(provider, repository).unwrap_or_else(|mistake| panic!("{mistake}"));
        assert_eq!(chosen.to_string(), provider);
    }
    for (provider, repository, wanted) in [
        (
            "http:lokal",
            "acme/shop",
            "line 2, column 22: `http:lokal` is no provider here; did you mean `http:local`? The server offers `rules`, `manual`, `http:local`, `http:cheap`, `http:strong`",
        ),
        (
            "http:strong",
            "other/shop",
            "line 2, column 22: the server does not offer `http:strong` to other/shop. The server offers `rules`, `manual`, `http:local`, `http:cheap`",
        ),
        (
            "http:zzzzzzzzzzzz",
            "other/shop",
            "line 2, column 22: `http:zzzzzzzzzzzz` is no provider here. The server offers `rules`, `manual`, `http:local`, `http:cheap`",
        ),
        ("local", "acme/shop", "line 2, column 22: `local` is no provider here"),
        (
            "\"a\\nb\"",
            "acme/shop",
            "line 2, column 22: \"a\\nb\" is no provider here. ",
        ),
    ] {
        let mistake = offered(provider, Some(repository)).unwrap_err();
        assert!(mistake.starts_with(wanted), "{mistake}");
    }
}

#[test]
fn where_no_server_is_known_any_endpoint_is_taken() {
    let config = read("version: 1\nproviders: {extract: http:what-ever-2, email: manual}\n");
    let endpoint = config.providers.extract.endpoint().map(EndpointName::as_str);
    assert_eq!(endpoint, Some("what-ever-2"));
    assert_eq!(config.providers.email.endpoint(), None);
    for text in ["http:", "http:A", "http://a", "http:a b", "HTTP:a"] {
        let mistakes = refuse(&format!("version: 1\nproviders: {{extract: '{text}'}}\n"));
        assert!(
            mistakes.len() == 1 && mistakes[0].contains("is no provider"),
            "{mistakes:?}"
        );
    }
}

#[test]
fn caps_of_a_repository_are_only_those_it_gives() {
    let config = read("version: 1\ncaps: {run: {tokens: 1000, money: 0.05}, person: {money: 2}}\n");
    let cap = |tokens, money: Option<i64>| crate::workflow::budget::Cap {
        tokens,
        money: money.map(crate::workflow::budget::Money),
    };
    assert_eq!(config.caps.run, cap(Some(1000), Some(50_000)));
    assert_eq!(config.caps.person, cap(None, Some(2_000_000)));
    assert_eq!(config.caps.workflow, cap(None, None));
    let stored = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<RepositoryConfig>(&stored).unwrap(), config);
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = RepositoryConfig::parse(&text, VOCABULARY);
        let _ = RepositoryConfig::parse(&format!("version: 1\n{text}"), VOCABULARY);
    }
}

#[test]
fn approval_asks_for_more_and_its_mistakes_have_a_place() {
    let config = read("version: 1\napproval:\n  quorum: 2 of @acme/security\n  exclude: [steerers, author]\n");
    let quorum = config.approval.quorum.unwrap();
    assert_eq!(
        (quorum.quorum, quorum.of.len(), config.approval.exclude.len()),
        (2, 1, 2)
    );
    assert_eq!(read("version: 1\napproval: {quorum: 1}\n").approval.quorum, None);
    for (text, place, says) in [
        ("version: 1\napproval: {quorum: 0}\n", (2, 20), "at least 1"),
        ("version: 1\napproval:\n  quorum: many\n", (3, 11), "is no quorum"),
        (
            "version: 1\napproval:\n  quorum: 2\n  of: [\"@a/b\", security]\n",
            (4, 16),
            "neither a team nor a person",
        ),
        (
            "version: 1\napproval:\n  quorum: 2\n  of: [\"@a/b\", \"@A/B\"]\n",
            (4, 16),
            "twice",
        ),
        (
            "version: 1\napproval:\n  quorum: 3\n  of: [\"@a\", \"@b\"]\n",
            (3, 11),
            "cannot be met",
        ),
        ("version: 1\napproval:\n  exclude: [bots]\n", (3, 13), "steerers"),
        ("version: 1\napproval:\n  expires: 3\n", (3, 3), "expires"),
    ] {
        let mistakes = RepositoryConfig::parse(text, VOCABULARY).unwrap_err();
        assert_eq!(
            (mistakes[0].line as usize, mistakes[0].column as usize),
            place,
            "{mistakes:?}"
        );
        assert!(mistakes[0].message.contains(says), "{mistakes:?}");
    }
}

#[test]
fn what_may_be_told_is_a_list_of_words_that_are_known() {
    let told = |text: &str| read(&format!("version: 1\n{text}\n"));
    let silent = told("notifications:");
    let some = told("notifications: [waiting, failed, waiting]");
    let nothing = told("notifications: []");
    for kind in Kind::ALL {
        assert!(silent.lets_tell(kind) && !nothing.lets_tell(kind), "{kind:?}");
        let named = [Kind::Waiting, Kind::Failed].contains(&kind);
        assert_eq!(some.lets_tell(kind), named, "{kind:?}");
    }
    for (text, wanted) in [
        ("[waitng]", "line 2, column 17: `notifications.0` must be one of"),
        ("[waitng]", "did you mean `waiting`?"),
        ("waiting", "line 2, column 16: `notifications` must be a list"),
        (
            "{url: https://evil.example}",
            "line 2, column 16: `notifications` must be a list",
        ),
    ] {
        let mistakes = refuse(&format!("version: 1\nnotifications: {text}\n"));
        assert!(
            mistakes.len() == 1 && mistakes[0].contains(wanted),
            "{text}: {mistakes:#?}"
        );
    }
}
