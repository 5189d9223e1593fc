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
            "5:45 `phases.0.gate` does not have the form that is asked for; there are `none` (or `skip`), `people`, `ai`, `ai+people`",
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
            "5:5 phase a: what it executes leaves, so a needs a gate of people",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, gate: skip, executes: a}\n",
            "5:45 phase a: what it executes leaves, so a needs a gate of people",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, gate: {people: {right: triage}}, executes: a}\n",
            "5:62 phase a: what it executes leaves, so the gate of a needs people with `write` or more",
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
            "5:60 `phases.0.limits.iterations` must be at most 100",
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
        (
            "phases:\n  - {id: a, title: A, agent: extract, label: countersign:sorting}\n",
            "5:46 phase a: the label `countersign:sorting` begins with `countersign:`: by such labels people speak to the bot; choose another beginning, such as `wf:`",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, label: {running: Countersign:x}}\n",
            "5:56 phase a: the label `Countersign:x` begins with `countersign:`",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, label: ' wf:a'}\n",
            "5:46 phase a: the label \" wf:a\" begins or ends with a blank; take it away",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, label: ' '}\n",
            "5:46 phase a: a label is empty; write its name, such as `wf:running`",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, label: ''}\n",
            "5:46 `phases.0.label` must not be empty",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, label: \"a\\tb\"}\n",
            "5:46 phase a: the label \"a\\tb\" is not one line of text",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, label: ..}\n",
            "5:46 phase a: `..` cannot be in an address, so it cannot be a label",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, label: 51-characters-are-one-more-than-a-label-can-have-00}\n",
            "5:46 `phases.0.label` must be at most 50 characters long",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, label: {runing: wf:a}}\n",
            "5:47 `runing` is not known in `phases.0.label`; did you mean `running`?",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, label: {running: [wf:a]}}\n",
            "5:56 `phases.0.label.running` must be text",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, label: [wf:a]}\n",
            "5:46 `phases.0.label` must be text or a mapping (key: value)",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, label: {}}\n",
            "5:46 `phases.0.label` must not be empty; name a label at one status at least",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, label: {draft: wf:a}}\n",
            "5:54 phase a: the label of `draft` would never be seen: it has no `prompt_gate`, so nothing waits there",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, label: {rejected: wf:a}}\n",
            "5:57 phase a: the label of `rejected` would never be seen: it has no gate at which anybody could say no",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, gate: people, label: {approved: wf:a}}\n",
            "5:71 phase a: the label of `approved` would never be seen: it carries nothing out, so what is approved is complete",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, gate: people}\n  - {id: b, title: B, needs: [a], executes: a, label: {running: wf:b}}\n",
            "6:65 phase b: the label of `running` would never be seen: it has no agent; while it carries out acts it is `approved`",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, label: wf:A}\n  - {id: b, title: B, agent: extract, needs: [a], label: {running: wf:a}}\n",
            "6:68 phase b: the label `wf:a` is `wf:A` to GitHub, which takes names that differ only in case as one; write it as there",
        ),
        (
            "guidelines: [../a.md]\nphases:\n  - {id: a, title: A, prompt: generate/plan, schema: plan.v1}\n",
            "4:14 `../a.md` cannot be a file of the repository: the path has . or .. in it",
        ),
        (
            "guidelines: [a.md, a.md]\nphases:\n  - {id: a, title: A, prompt: generate/plan, schema: plan.v1}\n",
            "4:20 `a.md` stands here twice",
        ),
        (
            "guidelines: [a, b, c, d, e, f]\nphases:\n  - {id: a, title: A, prompt: generate/plan, schema: plan.v1}\n",
            "4:13 `guidelines` must hold at most 5 items",
        ),
        (
            "guidelines: AGENTS.md\nphases:\n  - {id: a, title: A, prompt: generate/plan, schema: plan.v1}\n",
            "4:13 `guidelines` must be a list",
        ),
        (
            "guidelines: [AGENTS.md]\nphases:\n  - {id: a, title: A, agent: extract}\n",
            "4:13 no prompt is made with guidelines",
        ),
        (
            "phases:\n  - {id: a, title: A, prompt: generate/plan, schema: plan.v1, guidelines: false}\n",
            "5:75 phase a: its prompt is made without guidelines anyway",
        ),
        (
            "guidelines: [AGENTS.md]\nphases:\n  - {id: a, title: A, agent: extract, guidelines: false}\n  - {id: b, title: B, needs: [a], \
             prompt: generate/plan, schema: plan.v1}\n",
            "6:51 phase a: its prompt is made without guidelines anyway",
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
fn a_mistake_stands_where_it_is_to_be_mended() {
    let text = "name: m\nversion: 1\ntitle: T\nphases:\n  - id: a\n    title: A\n    prompt: sort\n    schema: document.v1\n    gate:\n      \
                ai:\n        prompt: missing\n        role: nobody\n        provider: http:x\n      people:\n        right: write\n        \
                quorum: 3\n        of:\n          - \"@alice\"\n        expires_after_hours: 0\n        on_expiry: nowhere\n    limits:\n      \
                minutes: 60\n      iterations: 0\n    needs:\n      - b\n      - c\n  - id: b\n    title: B\n    prompt: sort\n    schema: \
                document.v1\n    variants:\n      - {title: One}\n      - {title: Two, role: nobody}\nprompts:\n  sort: |\n    Line one\n    \
                Line two {{ nothing }}\n";
    let found = mistakes(text);
    for place in [
        "11:17 phase a: there is no template missing",
        "12:15 phase a: there is no role nobody",
        "16:17 phase a: a quorum of 3 cannot be met",
        "19:30 `phases.0.gate.people.expires_after_hours` must be at least 1",
        "20:20 phase a: on_expiry: there is no phase nowhere; there are remind, reject, b",
        "23:19 `phases.0.limits.iterations` must be at least 1",
        "25:9 phase a: b has variants",
        "26:9 phase a: there is no phase c; there is b",
        "33:28 phase b: a variant: there is no role nobody; there is none",
        "37:5 the template sort of phase a cannot be filled in: undefined value",
    ] {
        assert!(
            found.iter().any(|found| found.starts_with(place)),
            "{place}\n{found:#?}"
        );
    }
}

#[test]
fn the_gate_that_is_too_weak_is_where_the_mistake_stands() {
    let text = format!(
        "{HEAD}phases:\n  - id: a\n    title: A\n    agent: extract\n    gate: {{people: {{right: triage}}}}\n  - {{id: b, title: B, \
         needs: [a], executes: a}}\n"
    );
    let found = mistakes(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("8:28 phase a: what b executes of it leaves, so the gate of a needs people"),
        "{found:?}"
    );
}

#[test]
fn numbers_that_fit_nowhere_have_a_place_and_no_word_of_the_programs() {
    let phase = "phases:\n  - {id: a, title: A, agent: extract, gate: {people: {expires_after_hours: 99999999999}}}\n";
    let text = format!("name: sorted\nversion: 99999999999\ntitle: Sorted\n{phase}");
    assert_eq!(
        mistakes(&text),
        [
            "2:10 `version` must be at most 4294967295",
            "5:76 `phases.0.gate.people.expires_after_hours` must be at most 8760",
        ]
    );
    for hours in ["0", "-3"] {
        let found = mistakes(&format!("{HEAD}{}", phase.replace("99999999999", hours)));
        assert_eq!(
            found,
            ["5:76 `phases.0.gate.people.expires_after_hours` must be at least 1"]
        );
    }
}

#[test]
fn a_mistake_of_form_in_a_gate_leaves_the_rest_to_be_told() {
    let found = mistakes(&format!(
        "{HEAD}phases:\n  - id: a\n    title: A\n    prompt: sort\n    schema: document.v1\n    gate:\n      ai: {{prompt: missing, \
         provider: htpp:x}}\n      people: {{exclude: [stranger], quorum: 3 of @alice}}\nprompts: {{sort: P}}\n"
    ));
    for expected in [
        "10:20 phase a: there is no template missing",
        "`phases.0.gate.ai.provider` does not have the form",
        "`phases.0.gate.people.exclude.0` must be one of",
        "phase a: a quorum of 3 cannot be met",
    ] {
        assert!(
            found.iter().any(|found| found.contains(expected)),
            "{expected}\n{found:#?}"
        );
    }
}

#[test]
fn one_mistake_does_not_hide_another_nor_make_one() {
    let phases = |phases: &str| mistakes(&format!("{HEAD}prompts: {{p: P}}\nphases:\n{phases}"));
    let found = phases(
        "  - {id: a, title: A, prompt: p, schema: document.v1}\n  - {id: b, title: B, prompt: p, schema: document.v1, needs: [a], \
         on_demand: true}\n  - {id: c, title: C, prompt: p, schema: document.v1, needs: [nowhere], inputs: [a]}\n",
    );
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("phase b: it never begins"), "{found:?}");
    assert!(
        found[1].contains("phase c: there is no phase nowhere; there are a, b"),
        "{found:?}"
    );
    // What is missing is what was misspelt.
    let found = phases(
        "  - {id: a, title: A, promt: p, schema: document.v1}\n  - {id: b, title: B, prompt: p, schema: document.v1}\n",
    );
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("did you mean `prompt`?"), "{found:?}");
    let found = phases(
        "  - {id: a, title: A, agent: extract, gaet: people}\n  - {id: b, title: B, executes: a, needs: [a]}\n  - {id: c, title: C, \
         prompt: p, schema: document.v1, gate: ai+poeple}\n",
    );
    assert!(
        found.iter().any(
            |found| found.contains("`ai+people`, and `checks: {}`") && found.ends_with("did you mean `ai+people`?")
        ),
        "{found:#?}"
    );
    let found = phases("  - {id: a, title: A, prompt: pp, schema: document.v1}\n");
    assert!(found.iter().all(|found| !found.contains("nothing uses")), "{found:?}");
    let found = phases(
        "  - {id: a, title: A, prompt: p, schema: document.v1, gate: {people: {expires_at: 2030, on_expiry: reject}}}\n",
    );
    assert_eq!(found.len(), 1, "{found:#?}");
    // Who only waits for a circle is not on it.
    let found = phases(
        "  - {id: x, title: X, agent: extract, needs: [a]}\n  - {id: a, title: A, agent: extract, needs: [b]}\n  - {id: b, title: B, \
         prompt: p, schema: document.v1, needs: [a]}\n",
    );
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("phase a: it needs itself"), "{found:?}");
}

#[test]
fn what_comes_to_nothing_is_refused() {
    let mut differ = Vec::new();
    for (rest, expected) in [
        (
            "phases:\n  - {id: a, title: A, prompt: p, schema: document.v1, limits: {iterations: 2}}\n  - {id: b, title: B, prompt: \
             p, schema: document.v1, needs: [a], on_fail: a, gate: people}\nprompts: {p: P}\n",
            "phase b: what it makes has no verdict, so it never goes back by `on_fail`; the schemas with one are review.v1 and \
             handoff.v1",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, gate: {people: {on_expiry: reject}}}\n",
            "5:66 phase a: nothing expires here, so `on_expiry` has no meaning",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, gate: {people: {quorum: \"2 of @acme/security\", of: [\"@x\"]}}}\n",
            "phase a: `quorum` says of whom already",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, limits: {retries: 4000000}}\n",
            "`phases.0.limits.retries` must be at most 10",
        ),
        (
            "phases:\n  - {id: a, title: \"\", agent: extract}\n",
            "5:20 phase a: its title is empty",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract}\ninputs: {f: {title: F, file: true, default: ../../etc/passwd}}\n",
            "6:45 input f: `../../etc/passwd` cannot be a file of the repository: the path has . or .. in it",
        ),
        (
            "phases:\n  - {id: a, title: A, prompt: p, schema: document.v1, provider: rules}\nprompts: {p: P}\n",
            "5:65 phase a: the rules have no grammar for its prompt, so a person would have to answer",
        ),
        (
            "roles: {r: {title: R, provider: rules}}\nphases:\n  - {id: a, title: A, prompt: p, schema: document.v1, role: r}\nprompts: \
             {p: P}\n",
            "4:33 role r: the rules have no grammar for the prompt of a",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract}\nprompts: {p: P}\n",
            "6:14 nothing uses the template p",
        ),
        (
            "phases:\n  - {id: a, title: A, agent: extract, gate: {ai: {prompt: judge, provider: \"http:x\"}}}\nprompts:\n  judge: |\n    \
             Judge.\n\n    {{ schema | upper }}\n",
            "10:5 the template judge of the gate of phase a cannot be filled in: invalid operation",
        ),
        (
            "inputs: {n: {title: N, type: integer, default: many}}\nphases:\n  - {id: a, title: A, agent: extract}\n",
            "4:48 input n: its default `many` is not a whole number",
        ),
        (
            "inputs: {n: {title: N, type: integre}}\nphases:\n  - {id: a, title: A, agent: extract}\n",
            "4:30 `inputs.n.type` must be one of `text`, `integer`, `boolean`, `file`; did you mean `integer`?",
        ),
    ] {
        let found = mistakes(&format!("{HEAD}{rest}"));
        if !found.iter().any(|found| found.contains(expected)) {
            differ.push(format!("{rest}expected {expected}\nfound    {found:#?}"));
        }
    }
    let found = mistakes("name: sorted\nversion: 0\ntitle: Sorted\nphases: [{id: a, title: A, agent: extract}]\n");
    if found != ["2:10 `version` must be at least 1"] {
        differ.push(format!("{found:?}"));
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn all_mistakes_are_found_at_once() {
    let text = "name: sorted\nversion: 1\ntitle: Sorted\nsurprise: 1\nphases:\n  - {id: a, title: A, agent: nobody, when: now}\n  - {id: b, title: B, agent: extract, needs: [c]}\n";
    let found = mistakes(text);
    assert_eq!(found.len(), 4, "{found:#?}");
    for (found, place) in found.iter().zip(["4:1 ", "6:30 ", "6:38 ", "7:47 "]) {
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

#[test]
fn a_definition_has_so_many_labels_and_no_more() {
    let phases = |number: usize| -> String {
        (0..number)
            .map(|at| format!("  - {{id: p{at}, title: P, agent: extract, label: wf:{at}}}\n"))
            .collect()
    };
    assert_eq!(
        mistakes(&format!("{HEAD}phases:\n{}", phases(50))),
        Vec::<String>::new()
    );
    let found = mistakes(&format!("{HEAD}phases:\n{}", phases(51)));
    assert_eq!(
        found,
        ["55:48 phase p50: a definition has at most 50 labels; give phases that belong together the same"]
    );
    // The same label at many phases is one.
    let same = phases(80).replace("wf:", "wf:same, limits: {iterations: 1}}\n#");
    assert_eq!(mistakes(&format!("{HEAD}phases:\n{same}")), Vec::<String>::new());
}
