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
    definitions: &["deliver", "solve"],
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
fn one_mistake_each() {
    for (text, wanted) in [
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
            "line 2, column 22: `providers.extract` must be one of `rules`, `manual`",
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

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = RepositoryConfig::parse(&text, VOCABULARY);
        let _ = RepositoryConfig::parse(&format!("version: 1\n{text}"), VOCABULARY);
    }
}
