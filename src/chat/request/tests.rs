use super::*;

fn digest() -> Digest {
    Digest::of_bytes(b"what is shown")
}

#[test]
fn a_digest_is_named_by_12_to_64_hex_digits() {
    let whole = digest().to_string();
    for length in [12, 13, 64] {
        let prefix = DigestPrefix::new(&whole[..length].to_uppercase()).unwrap();
        assert_eq!(prefix.as_str(), &whole[..length]);
        assert!(prefix.matches(&digest()));
    }
    assert!(!DigestPrefix::new("000000000000").unwrap().matches(&digest()));
    for wrong in ["", &whole[..11], &format!("{whole}0"), "3f9c0a417bez", "３f9c0a417be2"] {
        assert!(DigestPrefix::new(wrong).is_err(), "{wrong}");
    }
    assert!(DigestPrefix::from(&digest()).matches(&digest()));
}

#[test]
fn a_stored_digest_is_checked_when_it_is_read() {
    assert!(serde_json::from_str::<DigestPrefix>("\"3f9c\"").is_err());
    let prefix: DigestPrefix = serde_json::from_str("\"3F9C0A417BE2\"").unwrap();
    assert_eq!(serde_json::to_string(&prefix).unwrap(), "\"3f9c0a417be2\"");
}

#[test]
fn fields_are_typed() {
    let patch = |key, value| FieldChange::parse(key, value).unwrap().patch();
    assert_eq!(patch("assignee", "@Bob"), ("assignee", json!("bob")));
    assert_eq!(patch("assign", "none"), ("assignee", json!(null)));
    assert_eq!(patch("labels", "docs, ops,"), ("labels", json!(["docs", "ops"])));
    assert_eq!(patch("labels", ""), ("labels", json!([])));
    assert_eq!(patch("depends", "none"), ("depends_on", json!([])));
    assert_eq!(patch("depends", "T1, t3"), ("depends_on", json!(["t1", "t3"])));
    assert_eq!(patch("priority", "HIGH"), ("priority", json!("high")));
    assert_eq!(patch("estimate", "xl"), ("estimate", json!("XL")));
    assert_eq!(patch("due", "2026-12-01"), ("due_date", json!("2026-12-01")));
    assert_eq!(
        patch("criteria", "one; two"),
        ("acceptance_criteria", json!(["one", "two"]))
    );
}

#[test]
fn mistakes_name_what_would_do() {
    let sentence = |key, value: &str| FieldChange::parse(key, value).unwrap_err().to_string();
    assert_eq!(
        sentence("asign", "x"),
        "There is no field `asign`; did you mean `assign=`?"
    );
    assert_eq!(sentence("colour", "x"), "There is no field `colour`.");
    assert_eq!(
        sentence("priority", "asap"),
        "“asap” is no priority: it has to be low, medium, high, critical or none."
    );
    assert_eq!(
        sentence("due", "2026-02-30"),
        "“2026-02-30” is no date: it has to be written as 2026-12-01, or none."
    );
    assert!(sentence("title", "  ").contains("one line"));
    assert!(sentence("title", &"x".repeat(257)).contains("256"));
    assert!(sentence("assign", "@a,@b").contains("one person"));
    assert!(sentence("depends", "#12").contains("such as t2"));
}

#[test]
fn what_is_echoed_is_harmless() {
    let sentence = FieldChange::parse("est", "<!-- @bob fixes #1").unwrap_err().to_string();
    assert!(
        !sentence.contains("<!--") && !sentence.contains("@bob") && !sentence.contains("#1"),
        "{sentence}"
    );
}
