use super::super::document::Schema;
use super::super::{Models, Overrides, Problems, Sources};
use super::*;
use crate::workflow::budget::{Cap, Money, Scope};

/// Reads the section of a server's file that says this.
fn load(text: &str, environment: &[(&str, &str)]) -> Result<Models, Problems> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("server.yml");
    std::fs::write(&path, text).unwrap();
    let overrides = Overrides {
        config: Some(path.clone()),
        ..Overrides::default()
    };
    let sources = Sources {
        overrides: &overrides,
        environment: &|name| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        },
        check_key: None,
    };
    sources.models()
}

fn read(text: &str) -> Models {
    load(text, &[]).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The mistakes, each without the path of the file.
fn refuse(text: &str) -> Vec<String> {
    let problems = match load(text, &[]) {
        Ok(models) => panic!("{text} was taken as {models:?}"),
        Err(problems) => problems,
    };
    let mistakes = problems.sentences().iter();
    mistakes
        .map(|sentence| sentence.split_once("server.yml, ").expect(sentence).1.to_owned())
        .collect()
}

/// A file with one whole endpoint, to which these lines are added.
fn with(lines: &str) -> String {
    format!(
        "models:\n  endpoints:\n    a:\n      dialect: openai\n      base_url: https://a.example/v1\n      model: m\n      context_tokens: 32000\n{lines}"
    )
}

fn tokens(tokens: u64) -> Cap {
    Cap {
        tokens: Some(tokens),
        money: None,
    }
}

#[test]
fn without_a_file_or_a_section_there_are_caps_and_no_endpoint() {
    let none = Sources {
        overrides: &Overrides::default(),
        environment: &|_| None,
        check_key: None,
    };
    for models in [none.models().unwrap(), read("listen: 127.0.0.1:1\n"), read("models:\n")] {
        assert_eq!(models, Models::default());
        assert_eq!(models.currency, "USD");
        assert!(models.endpoints.is_empty());
        let caps = Scope::ALL.map(|scope| models.caps.of(scope));
        assert_eq!(caps, [200_000, 1_000_000, 5_000_000, 2_000_000, 10_000_000].map(tokens));
    }
}

#[test]
fn what_an_endpoint_leaves_out_has_a_default() {
    let models = read(&with(""));
    let [endpoint] = models.endpoints.as_slice() else {
        panic!("{models:?}")
    };
    assert_eq!(endpoint.name.as_str(), "a");
    assert_eq!(endpoint.structured_output, StructuredOutput::Schema);
    assert_eq!(endpoint.max_output_tokens, 8000);
    assert_eq!(endpoint.timeout, Duration::from_secs(120));
    assert_eq!(endpoint.concurrency, 4);
    assert_eq!((endpoint.price, endpoint.key_env.as_deref()), (None, None));
    assert!(endpoint.failover.is_empty() && endpoint.repositories.is_empty());
    assert_eq!(endpoint.obstacle(), None);
}

#[test]
fn everything_said() {
    let text = "models:
  currency: EUR
  caps:
    run: {tokens: 1000, money: 0.000001}
    workflow: {money: 1}
    day: {tokens: 1}
  endpoints:
    zeta:
      dialect: anthropic
      model: some-model
      key_env: ZETA_KEY
      structured_output: tool
      max_output_tokens: 4000
      timeout_seconds: 3600
      context_tokens: 200000
      concurrency: 1000
      price: {input: 3, cached: 0.30, output: 15.000001}
      failover: [b, alpha]
      repositories: [acme/*, Acme-Corp_x/a.b_c]
    alpha: {dialect: gemini, model: g-2.5, context_tokens: 9000, price: {input: 0.1, output: 0}}
    b: {dialect: ollama, model: 'q:8b', context_tokens: 9000}
";
    let models = load(text, &[("ZETA_KEY", " hunter2\n")]).unwrap();
    assert_eq!(models.currency, "EUR");
    let cap = |scope| models.caps.of(scope);
    assert_eq!(
        (cap(Scope::Run).tokens, cap(Scope::Run).money),
        (Some(1000), Some(Money(1)))
    );
    assert_eq!(
        (cap(Scope::Workflow).tokens, cap(Scope::Workflow).money),
        (Some(1_000_000), Some(Money(1_000_000))),
        "what is left out keeps its default"
    );
    assert_eq!(cap(Scope::Day), tokens(1), "a narrower cap above a wider one is fine");
    let names: Vec<_> = models.endpoints.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["zeta", "alpha", "b"], "the file's order");
    let [zeta, alpha, b] = models.endpoints.as_slice() else {
        panic!("{models:?}")
    };
    assert_eq!(zeta.base_url.as_str(), "https://api.anthropic.com/");
    assert_eq!(zeta.key.as_ref().map(ApiKey::expose), Some("hunter2"));
    let price = |input, cached, output| {
        Some(Price {
            input: Money(input),
            cached: Money(cached),
            output: Money(output),
        })
    };
    assert_eq!(zeta.price, price(3_000_000, 300_000, 15_000_001));
    assert_eq!(alpha.price, price(100_000, 100_000, 0), "cached costs as input");
    assert_eq!(
        zeta.failover.iter().map(EndpointName::as_str).collect::<Vec<_>>(),
        ["b", "alpha"]
    );
    assert!(zeta.allows("ACME/anything") && zeta.allows("acme-corp_x/A.b_c") && !zeta.allows("acme-corp_x/other"));
    assert_eq!(alpha.base_url.as_str(), "https://generativelanguage.googleapis.com/");
    assert_eq!(b.base_url.as_str(), "http://127.0.0.1:11434/");
    let shown = format!("{models:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_missing_key_is_no_mistake_and_its_variable_is_named() {
    let text = with("      key_env: A_KEY\n");
    for (environment, wanted) in [
        (&[][..], Some("A_KEY is not set")),
        (&[("A_KEY", " \n")], Some("A_KEY is not set")),
        (&[("A_KEY", "hunter2")], None),
        (&[("A_KEY", "hunter2\nhunter3")], Some("A_KEY holds white space")),
        (&[("A_KEY", "hünter2")], Some("A_KEY holds white space or characters")),
    ] {
        let models = load(&text, environment).unwrap();
        let obstacle = models.endpoints[0].obstacle();
        match wanted {
            None => assert_eq!(obstacle, None),
            Some(wanted) => {
                let obstacle = obstacle.unwrap();
                assert!(obstacle.contains(wanted) && !obstacle.contains("nter"), "{obstacle}");
            }
        }
    }
}

#[test]
fn one_mistake_each_in_caps() {
    for (text, wanted) in [
        ("models: []\n", "line 1, column 9: `models` must be a mapping"),
        (
            "models:\n  cap: {}\n",
            "line 2, column 3: `cap` is not known in `models`; did you mean `caps`?",
        ),
        (
            "models:\n  caps:\n    week: {tokens: 1}\n",
            "line 3, column 5: `week` is not known in `models.caps`; known: `day`",
        ),
        (
            "models:\n  caps:\n    run: 5\n",
            "line 3, column 10: `models.caps.run` must be a mapping",
        ),
        (
            "models:\n  caps:\n    run: {token: 5}\n",
            "line 3, column 11: `token` is not known in `models.caps.run`; did you mean `tokens`?",
        ),
        (
            "models:\n  caps:\n    run: {tokens: 0}\n",
            "line 3, column 19: `models.caps.run.tokens` must be at least 1; give a positive cap, or remove it",
        ),
        (
            "models:\n  caps:\n    day: {tokens: -5}\n",
            "line 3, column 19: `models.caps.day.tokens` must be at least 1; give a positive cap, or remove it",
        ),
        (
            "models:\n  caps:\n    run: {tokens: 1.5}\n",
            "line 3, column 19: `models.caps.run.tokens` must be a whole number",
        ),
        (
            "models:\n  caps:\n    run: {tokens: 1e30}\n",
            "line 3, column 19: `models.caps.run.tokens` must be at most 1000000000000",
        ),
        (
            "models:\n  caps:\n    person: {money: 0}\n",
            "line 3, column 21: `models.caps.person.money` must be more than 0; give a positive cap, or remove it",
        ),
        (
            "models:\n  caps:\n    person: {money: -0.01}\n",
            "line 3, column 21: `models.caps.person.money` must be more than 0; give a positive cap, or remove it",
        ),
        (
            "models:\n  caps:\n    person: {money: 0.0000001}\n",
            "line 3, column 21: `models.caps.person.money` has more than six decimals; round it",
        ),
        (
            "models:\n  caps:\n    person: {money: 2000000000}\n",
            "line 3, column 21: `models.caps.person.money` must be at most 1000000000",
        ),
        (
            "models:\n  caps:\n    person: {money: $5}\n",
            "line 3, column 21: `models.caps.person.money` must be a number",
        ),
        ("models:\n  caps:\n    run: {money: .inf}\n", "line 3, column 18: "),
        (
            "models:\n  currency: '€ 1'\n",
            "line 2, column 13: `models.currency` must be up to ten letters",
        ),
        (
            "models:\n  currency: 1\n",
            "line 2, column 13: `models.currency` must be text",
        ),
    ] {
        let mistakes = refuse(text);
        assert!(
            mistakes.len() == 1 && mistakes[0].starts_with(wanted),
            "{text}: {mistakes:#?}"
        );
    }
}

#[test]
fn one_mistake_each_in_an_endpoint() {
    for (line, place, wanted) in [
        (
            "      modell: m\n",
            "line 8, column 7",
            "`modell` is not known in `models.endpoints.a`; did you mean `model`?",
        ),
        (
            "      structured_output: json\n",
            "line 8, column 26",
            "must be one of `schema`, `object`, `tool`, `prompt`",
        ),
        (
            "      max_output_tokens: 0\n",
            "line 8, column 26",
            "must be at least 1",
        ),
        (
            "      max_output_tokens: 32000\n",
            "line 8, column 26",
            "leaves no room for the question",
        ),
        ("      timeout_seconds: 0\n", "line 8, column 24", "must be at least 1"),
        (
            "      timeout_seconds: 3601\n",
            "line 8, column 24",
            "must be at most 3600",
        ),
        ("      concurrency: 0\n", "line 8, column 20", "must be at least 1"),
        ("      concurrency: 1001\n", "line 8, column 20", "must be at most 1000"),
        ("      price: 3\n", "line 8, column 14", "must be a mapping"),
        (
            "      price: {input: 1}\n",
            "line 8, column 14",
            "`models.endpoints.a.price` lacks `output`; add it",
        ),
        (
            "      price: {input: -1, output: 1}\n",
            "line 8, column 22",
            "price.input` must be at least 0",
        ),
        (
            "      price: {input: 1, output: free}\n",
            "line 8, column 33",
            "must be a number",
        ),
        (
            "      price: {input: 1, cached: 0.0000025, output: 1}\n",
            "line 8, column 33",
            "more than six decimals",
        ),
        (
            "      price: {inputs: 1, input: 1, output: 1}\n",
            "line 8, column 15",
            "did you mean `input`?",
        ),
        ("      failover: b\n", "line 8, column 17", "must be a list"),
        (
            "      failover: [a]\n",
            "line 8, column 18",
            "`models.endpoints.a.failover.0` is the endpoint itself",
        ),
        (
            "      failover: [bb, c]\n    b2: {dialect: ollama, model: m, context_tokens: 9000}\n    c: {dialect: ollama, model: m, context_tokens: 9000}\n",
            "line 8, column 18",
            "is no endpoint of this file; did you mean `b2`?",
        ),
        (
            "      failover: [b, b]\n    b: {dialect: ollama, model: m, context_tokens: 9000}\n",
            "line 8, column 21",
            "names b for the second time",
        ),
        ("      repositories: []\n", "line 8, column 21", "allows no repository"),
        ("      repositories: ['*']\n", "line 8, column 22", "must be owner/name"),
        (
            "      repositories: [acme/shop, acme]\n",
            "line 8, column 33",
            "must be owner/name",
        ),
        (
            "      repositories: [acme/s*]\n",
            "line 8, column 22",
            "must be owner/name",
        ),
        (
            "    B 1: {dialect: ollama, model: m, context_tokens: 9000}\n",
            "line 8, column 5",
            "\"B 1\" cannot be an endpoint's name",
        ),
        (
            "    b: ollama\n",
            "line 8, column 8",
            "`models.endpoints.b` must be a mapping",
        ),
        (
            "    b: {dialect: ollama, model: m}\n",
            "line 8, column 8",
            "`models.endpoints.b` lacks `context_tokens`; add it",
        ),
        (
            "    b: {model: m, context_tokens: 9000}\n",
            "line 8, column 8",
            "`models.endpoints.b` lacks `dialect`; add it",
        ),
        (
            "    b: {dialect: ollama, context_tokens: 9000}\n",
            "line 8, column 8",
            "`models.endpoints.b` lacks `model`; add it",
        ),
        (
            "    b: {dialect: mistral, model: m, context_tokens: 9000}\n",
            "line 8, column 18",
            "must be one of `openai`, `anthropic`, `gemini`, `ollama`",
        ),
        (
            "    b: {dialect: openai, model: m, context_tokens: 9000}\n",
            "line 8, column 8",
            "`models.endpoints.b` lacks `base_url`",
        ),
        (
            "    b: {dialect: openai, base_url: 1, model: m, context_tokens: 9000}\n",
            "line 8, column 36",
            "must be text",
        ),
        (
            "    b: {dialect: ollama, model: m, context_tokens: 8000}\n",
            "line 8, column 52",
            "(`max_output_tokens` is 8000 unless it is given)",
        ),
        (
            "    b: {dialect: ollama, model: '', context_tokens: 9000}\n",
            "line 8, column 33",
            "must not be empty",
        ),
        (
            "    b: {dialect: ollama, model: 'a b', context_tokens: 9000}\n",
            "line 8, column 33",
            "must be a model's name",
        ),
        (
            "    b: {dialect: gemini, model: models/g, context_tokens: 9000}\n",
            "line 8, column 33",
            "leave out `models/`",
        ),
    ] {
        let mistakes = refuse(&with(line));
        assert!(
            mistakes.len() == 1 && mistakes[0].starts_with(place) && mistakes[0].contains(wanted),
            "{line}: {mistakes:#?}"
        );
    }
}

#[test]
fn addresses_that_cannot_be_are_refused_without_repeating_them() {
    for (dialect, url, key, wanted) in [
        ("openai", "a.example/hunter2", false, "is not a URL"),
        ("openai", "ftp://a.example/hunter2", false, "neither http nor https"),
        (
            "openai",
            "https://u:hunter2@a.example/v1",
            false,
            "holds a user or password",
        ),
        (
            "openai",
            "https://hunter2@a.example/v1",
            false,
            "holds a user or password",
        ),
        ("openai", "https://a.example/v1?key=hunter2", false, "after ? or #"),
        ("openai", "https://a.example/v1#hunter2", false, "after ? or #"),
        ("openai", "http://a.example/v1", true, "would send the key in clear"),
        ("openai", "http://8.8.8.8/v1", true, "would send the key in clear"),
        ("openai", "http://172.32.0.1/v1", true, "would send the key in clear"),
        ("openai", "http://[2001:db8::1]/v1", true, "would send the key in clear"),
        (
            "openai",
            "http://127.0.0.1.example.org/v1",
            true,
            "would send the key in clear",
        ),
        (
            "openai",
            "https://a.example/v1/chat/completions",
            false,
            "ends in /chat/completions",
        ),
        ("anthropic", "https://a.example/v1/", false, "ends in /v1,"),
        (
            "anthropic",
            "https://a.example/v1/messages",
            false,
            "ends in /v1/messages",
        ),
        ("gemini", "https://a.example/v1beta", false, "ends in /v1beta"),
        ("ollama", "http://127.0.0.1:11434/api", false, "ends in /api"),
        (
            "ollama",
            "http://127.0.0.1:11434/v1",
            false,
            "choose the dialect openai",
        ),
    ] {
        let key = if key { ", key_env: A_KEY" } else { "" };
        let mistakes = refuse(&format!(
            "models:\n  endpoints:\n    a: {{base_url: '{url}', dialect: {dialect}, model: m, context_tokens: 9000{key}}}\n"
        ));
        assert!(
            mistakes.len() == 1
                && mistakes[0].starts_with("line 3, column 19: `models.endpoints.a.base_url` ")
                && mistakes[0].contains(wanted)
                && !mistakes[0].contains("hunter2"),
            "{url}: {mistakes:#?}"
        );
    }
}

#[test]
fn a_key_may_travel_in_clear_within_the_house_only() {
    for host in [
        "localhost:1",
        "127.0.0.1",
        "[::1]",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.9:8000",
        "169.254.1.1",
        "[fd00::1]",
        "[fe80::1]",
        "[::ffff:10.0.0.1]",
        "litellm:4000",
        "gpu.local",
        "gpu.corp.internal",
        "gpu.home.arpa",
    ] {
        let url = format!("http://{host}/v1");
        assert!(base_url(&url, Some(Dialect::OpenAi), true).is_ok(), "{url}");
    }
    // Without a key there is none to lose.
    assert!(base_url("http://a.example/v1", Some(Dialect::OpenAi), false).is_ok());
}

#[test]
fn a_key_in_place_of_its_variable_is_refused_and_not_repeated() {
    for key in [
        "sk-proj-hunter2",
        "sk_live_hunter2",
        "hunter2hunter2hunter2",
        "AIzaSyHunter",
        "gsk_hunter",
        "Bearer hunter2",
        "$A_KEY",
        "1_KEY",
        "",
    ] {
        let mistakes = refuse(&with(&format!("      key_env: '{key}'\n")));
        assert!(
            mistakes.len() == 1
                && mistakes[0].starts_with("line 8, column 16: `models.endpoints.a.key_env` must be the name of")
                && (key.is_empty() || !mistakes[0].contains(key)),
            "{key}: {mistakes:#?}"
        );
    }
    for name in [
        "LOCAL_MODEL_KEY",
        "_k",
        "openai_key",
        "COUNTERSIGN_MODEL_KEY_FOR_TEAM_2",
    ] {
        let models = read(&with(&format!("      key_env: {name}\n")));
        assert_eq!(models.endpoints[0].key_env.as_deref(), Some(name));
    }
}

#[test]
fn one_mistake_hides_no_other() {
    let mistakes = refuse(
        "models:
  currency: '?'
  caps:
    run: {tokens: 0, money: 0.0000001}
    dai: {}
  endpoints:
    a:
      dialect: openai
      model: 'a b'
      timeout_seconds: 0
      key_env: a-b
      failover: [broken, none]
    broken:
      dialect: x
      base_url: ftp://a.example
      key_env: c-d
    C: {dialect: ollama, model: m, price: {input: 1}}
",
    );
    let mut places: Vec<_> = mistakes
        .iter()
        .map(|mistake| mistake.split(':').next().unwrap())
        .collect();
    places.sort_unstable_by_key(|place| {
        let numbers = place.split(|c: char| !c.is_ascii_digit());
        numbers
            .filter_map(|number| number.parse::<u32>().ok())
            .collect::<Vec<_>>()
    });
    assert_eq!(
        places,
        [
            "line 2, column 13",
            "line 4, column 19",
            "line 4, column 29",
            "line 5, column 5",
            "line 8, column 7",
            "line 8, column 7",
            "line 9, column 14",
            "line 10, column 24",
            "line 11, column 16",
            "line 12, column 26",
            "line 14, column 7",
            "line 14, column 7",
            "line 14, column 16",
            "line 15, column 17",
            "line 16, column 16",
            "line 17, column 5",
            "line 17, column 8",
            "line 17, column 43",
        ],
        "{mistakes:#?}"
    );
}

#[test]
fn the_schema_offers_what_the_types_take() {
    let schema = Schema::of::<FileModels>();
    let endpoint = &schema.json()["properties"]["endpoints"]["additionalProperties"];
    assert_eq!(
        endpoint["required"],
        serde_json::json!(["dialect", "model", "context_tokens"])
    );
    let words = |key: &str| {
        let words = endpoint["properties"][key]["enum"].as_array().unwrap().clone();
        assert!(!words.is_empty());
        words
    };
    for word in words("dialect") {
        let dialect: Dialect = serde_json::from_value(word.clone()).unwrap();
        assert_eq!(dialect.as_str(), word);
    }
    for word in words("structured_output") {
        let output: StructuredOutput = serde_json::from_value(word.clone()).unwrap();
        assert_eq!(output.as_str(), word);
    }
}
