use super::*;
use crate::agents;

/// Every mistake as `line:column sentence`.
fn mistakes(text: &str) -> Vec<String> {
    match read(text, &agents::names(), &["deliver"]) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes
            .iter()
            .map(|mistake| format!("{}:{} {}", mistake.line, mistake.column, mistake.message))
            .collect(),
    }
}

const HEAD: &str = "name: sorted\nversion: 1\ntitle: Sorted\n";

#[test]
fn every_mistake_has_its_place() {
    let mut differ = Vec::new();
    for (rest, expected) in [
        ("phases: []\n", "4:9 sorted: there are no phases"),
        ("phase: []\n", "4:1 `phase` is not known; did you mean `phases`?"),
        (
            "phases:\n  - {id: a, title: A, agent: extract, gaet: none}\n",
            "5:39 `gaet` is not known in `phases.0`; did you mean `gate`?",
        ),
        ("phases:\n  - {id: a, agent: extract}\n", "5:5 `phases.0` lacks `title`"),
        (
            "phases:\n  - {id: a, title: A, agent: [extract]}\n",
            "5:30 `phases.0.agent` must be text",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extrakt}\n",
            "5:30 phase a: there is no agent extrakt; did you mean extract?",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, gate: ia}\n",
            "5:45 `phases.0.gate` does not have the form that is asked for; there are `none`, `checks: {}`, `ai: {}`",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, gate: {ia: {}}}\n",
            "5:46 `ia` is not known in `phases.0.gate`",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, gate: {people: {right: owner}}}\n",
            "5:62 `phases.0.gate.people.right` must be one of",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, executes: a}\n",
            "5:49 phase a: what it executes leaves, so a needs a gate of people",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, gate: skip, executes: a}\n",
            "5:61 phase a: what it executes leaves, so a needs a gate of people",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, gate: {people: {right: triage}}, executes: a}\n",
            "5:82 phase a: what it executes leaves, so the gate of a needs people with `write` or more",
        ),
        (
            "phases:\n  - {id: a, title: A, prompt: p, schema: document.v1, gate: {people: {}}, executes: a}\nprompts: {p: P}\n",
            "5:85 phase a: a proposes document.v1, which says nothing that could be carried out",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, needs: [b]}\n  - {id: b, title: B, agent: extract, needs: [a]}\n",
            "5:46 phase a: it needs itself",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, on_demand: true}\n",
            "5:50 phase a: it never begins",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract}\n  - {id: b, title: B, agent: extract, needs: [a], on_fail: a, gate: {people: {}}}\n",
            "6:60 phase b: the loop back to a has no cap",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, limits: {iterations: 1000}}\n",
            "5:47 phase a: limits.iterations must be at most 100",
        ),
        (
            "phases:\n  - {id: A b, title: A, agent: extract}\n",
            "5:10 \"A b\" cannot be a name",
        ),
        (
            "phases:\n  - {id: a, title: A, prompt: sort, schema: document.v2}\nprompts: {sorts: P}\n",
            "5:31 phase a: there is no template sort; did you mean sorts?",
        ),
        (
            "phases:\n  - {id: a, title: A, prompt: p, schema: document.v2}\nprompts: {p: P}\n",
            "5:42 phase a: there is no schema document.v2; did you mean document.v1?",
        ),
        (
            "phases:\n  - {id: a, title: A, prompt: p, schema: document.v1}\nprompts:\n  p: '{% for a in range(100) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}'\n",
            "7:6 the template p of phase a cannot be filled in: invalid operation: `for a in range(100)`: `(` is not taken there",
        ),
        (
            "phases:\n  - {id: a, title: A, prompt: p, schema: document.v1}\nprompts:\n  p: '{{ environment.HOME }}'\n",
            "7:6 the template p of phase a cannot be filled in: undefined value",
        ),
        (
            "phases:\n  - {id: a, title: A, prompt: p, schema: document.v1}\nprompts:\n  p: '{% include \"/etc/passwd\" %}'\n",
            "7:6 the template p of phase a cannot be filled in: invalid operation: `include \"/etc/passwd\"`: `\"` is not taken",
        ),
        (
            "phases:\n  - {id: a, title: A, prompt: p, schema: document.v1}\nprompts:\n  p: '{% if %}'\n",
            "7:6 the template p of phase a cannot be filled in: syntax error",
        ),
        (
            "inputs: {lang: {title: L, choices: [de, en], default: fr}}\nphases:\n  - {id: a, title: A, agent: extract}\n",
            "4:55 input lang: its default `fr` is none of its choices",
        ),
        (
            "roles: {critic: {title: C, provider: smtp}}\nphases:\n  - {id: a, title: A, agent: extract, role: critik}\n",
            "6:45 phase a: there is no role critik; did you mean critic?",
        ),
        ("phases: [\n", "not valid YAML"),
    ] {
        let found = mistakes(&format!("{HEAD}{rest}"));
        if !found.iter().any(|found| found.contains(expected)) {
            differ.push(format!("{rest}expected {expected}\nfound    {found:#?}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn all_mistakes_are_found_at_once() {
    let text = "name: sorted\nversion: 1\ntitle: Sorted\nsurprise: 1\nphases:\n  - {id: a, title: A, agent: nobody, when: now}\n  - {id: b, title: B, agent: extract, needs: [c]}\n";
    let found = mistakes(text);
    assert_eq!(found.len(), 4, "{found:#?}");
    for (found, place) in found.iter().zip(["4:1 ", "6:30 ", "6:38 ", "7:46 "]) {
        assert!(found.starts_with(place), "{found}");
    }
}

#[test]
fn a_name_that_is_taken_is_refused_where_it_stands() {
    let text = "version: 1\nname: deliver\ntitle: Mine\nphases:\n  - {id: a, title: A, agent: extract}\n";
    assert_eq!(
        mistakes(text),
        ["2:7 the name deliver is taken by another definition; choose another"]
    );
}

#[test]
fn two_hundred_phases_are_read() {
    let mut text = format!("{HEAD}prompts: {{p: P}}\nphases:\n");
    for number in 0..200_u32 {
        let needs = match number.checked_sub(1) {
            Some(before) => format!("[p{before}]"),
            None => "[]".to_owned(),
        };
        text.push_str(&format!(
            "  - id: p{number}\n    title: Phase {number}\n    needs: {needs}\n    inputs: {needs}\n    prompt: p\n    schema: document.v1\n    gate:\n      people:\n        right: write\n        expires_after_hours: 24\n        on_expiry: remind\n    limits:\n      iterations: 3\n      minutes: 10\n"
        ));
    }
    let definition = read(&text, &agents::names(), &[]).unwrap();
    assert_eq!(definition.phases.len(), 200);
}

#[test]
fn a_definition_of_its_own_templates_is_good() {
    let text = format!(
        "{HEAD}roles: {{critic: {{title: Critic, prompt: critic}}}}\nprompts:\n  critic: You look closely.\n  draft: |\n    Answer as {{{{ schema_name }}}}: {{{{ schema }}}}\nphases:\n  - {{id: a, title: A, prompt: draft, schema: document.v1, role: critic, gate: skip}}\n"
    );
    assert_eq!(mistakes(&text), Vec::<String>::new());
}

#[test]
fn the_programs_own_definitions_are_good() {
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/workflows")).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let read = read(&text, &agents::names(), &[]);
        assert!(read.is_ok(), "{}: {read:?}", path.display());
    }
}
