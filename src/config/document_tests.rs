use super::*;

fn refusal(text: &str) -> ConfigError {
    Document::parse(text)
        .err()
        .unwrap_or_else(|| panic!("{text:.60} was read"))
}

#[test]
fn places_of_values_and_keys() {
    let document =
        Document::parse("# a comment\nmail:\n  to:\n    - a@b.example\n    - c@d.example\nn: {é: 1}\n").unwrap();
    for (path, key, value) in [
        (&["mail"][..], (2, 1), (3, 3)),
        (&["mail", "to"], (3, 3), (4, 5)),
        (&["mail", "to", "1"], (5, 7), (5, 7)),
        (&["n", "é"], (6, 5), (6, 8)),
        (&["mail", "nothing"], (2, 1), (3, 3)),
    ] {
        let (key_at, at) = (document.key_at(path), document.at(path));
        assert_eq!(
            ((key_at.line, key_at.column), (at.line, at.column)),
            (key, value),
            "{path:?}"
        );
    }
}

#[test]
fn broken_yaml_says_where() {
    for (text, line, wanted) in [
        ("version: 1\nmail: [a\n", 2, "not valid YAML"),
        ("version: 1\n\tmail: 1\n", 1, "not valid YAML"),
        ("version: 1\nversion: 1\n", 2, "not valid YAML"),
        ("version: 1\n---\nversion: 1\n", 3, "not valid YAML"),
        ("a: *nothing\n", 1, "not valid YAML"),
        // JSON has no such number: taken as nothing, a cap would silently be none.
        ("a: 1\nb: .inf\n", 2, "not a finite number"),
        ("a: 1\nb: .nan\n", 2, "not a finite number"),
    ] {
        let error = refusal(text);
        assert_eq!(error.line, line, "{text:?}: {error}");
        assert!(
            error.message.contains(wanted) && !error.message.contains("line "),
            "{text:?}: {error}"
        );
    }
}

#[test]
fn bombs_are_refused() {
    // Nine levels of nine references: 10^8 values out of less than 400 bytes.
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..9 {
        let references = vec![format!("*a{}", level - 1); 9].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{references}]\n"));
    }
    for (name, text) in [
        ("aliases", bomb),
        ("brackets", "[".repeat(20_000)),
        (
            "depth",
            "a:\n".to_owned() + &(1..40).map(|n| format!("{}a:\n", " ".repeat(n))).collect::<String>(),
        ),
        ("values", format!("[{}]", "1,".repeat(20_000))),
        ("size", format!("a: {}", "x".repeat(70_000))),
    ] {
        let error = refusal(&text);
        assert!(
            error.message.contains("too large") || error.message.contains("larger than") || name == "brackets",
            "{name}: {error}"
        );
        assert!(error.line >= 1 && error.column >= 1);
    }
}

#[test]
fn an_alias_or_two_is_fine() {
    let document = Document::parse("a: &a [1, 2]\nb: *a\nc: {<<: {d: 1}}\n").unwrap();
    assert_eq!(
        document.root.to_json(),
        serde_json::json!({"a": [1, 2], "b": [1, 2], "c": {"d": 1}})
    );
}

#[test]
fn a_key_without_value_counts_as_absent() {
    let document = Document::parse("mail:\n  # to: [a@b.example]\nversion: 1\n").unwrap();
    assert_eq!(document.root.to_json(), serde_json::json!({"version": 1}));
}

#[test]
fn suggestions() {
    let known = ["mail", "permissions", "limits"];
    assert_eq!(suggest("permisions", known.into_iter()), "did you mean `permissions`?");
    assert_eq!(suggest("Mail", known.into_iter()), "did you mean `mail`?");
    assert_eq!(
        suggest("zebra", known.into_iter()),
        "known: `mail`, `permissions`, `limits`"
    );
}
