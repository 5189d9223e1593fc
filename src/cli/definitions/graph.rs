//! A definition drawn: a Mermaid flowchart, and a text for a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::simulate::status_word;
use crate::workflow::definition::{Definition, Gate, OnExpiry, PeopleGate, Phase, Wait};
use crate::workflow::gate::Excluded;
use crate::workflow::ids::PhaseId;

/// A flowchart in Mermaid. Gates are diamonds, phases on demand and their edges are dashed, a verdict that goes back is a
/// labelled edge. Phases are numbered there: a name of ours may be a word of Mermaid's.
pub(super) fn mermaid(definition: &Definition) -> String {
    let numbers: BTreeMap<&PhaseId, usize> = definition.phases.iter().map(|phase| &phase.id).zip(0..).collect();
    let mut chart = String::from("flowchart TD\n");
    let mut on_demand = Vec::new();
    for (number, phase) in definition.phases.iter().enumerate() {
        let mut lines = vec![escaped(&phase.title)];
        lines.extend(work(phase).iter().map(|line| escaped(line)));
        let _ = writeln!(chart, "  p{number}[\"{}\"]", lines.join("<br/>"));
        if let Some(gate) = gate(&phase.prompt_gate) {
            let _ = writeln!(chart, "  q{number}{{\"prompt: {}\"}} --> p{number}", escaped(&gate));
        }
        if let Some(gate) = gate(&phase.gate) {
            let _ = writeln!(chart, "  p{number} --> g{number}{{\"{}\"}}", escaped(&gate));
        }
        if phase.on_demand {
            on_demand.push(format!("p{number}"));
        }
    }
    let enters = |phase: &Phase| match phase.prompt_gate.is_none() {
        true => format!("p{}", numbers[&phase.id]),
        false => format!("q{}", numbers[&phase.id]),
    };
    let leaves = |phase: &Phase| match phase.gate.is_none() {
        true => format!("p{}", numbers[&phase.id]),
        false => format!("g{}", numbers[&phase.id]),
    };
    for phase in &definition.phases {
        for need in definition.follows(phase).filter_map(|need| definition.phase(need)) {
            let edge = match phase.on_demand || need.on_demand {
                true => "-.->",
                false => "-->",
            };
            let _ = writeln!(chart, "  {} {edge} {}", leaves(need), enters(phase));
        }
        if let Some(to) = phase.on_fail.as_ref().and_then(|to| definition.phase(to)) {
            let most = to.limits.iterations;
            let _ = writeln!(
                chart,
                "  {} -- \"fail, at most {most} iterations\" --> {}",
                leaves(phase),
                enters(to)
            );
        }
    }
    if !on_demand.is_empty() {
        let _ = writeln!(
            chart,
            "  classDef ondemand stroke-dasharray: 5 5\n  class {} ondemand",
            on_demand.join(",")
        );
    }
    chart
}

/// The phases in a tree: each under the last of those that it needs, one that is alone there on the same level.
pub(super) fn text(definition: &Definition) -> String {
    let mut page = format!("{} {}: {}\n", definition.name, definition.version, definition.title);
    for (name, input) in &definition.inputs {
        let asked = match (&input.default, input.required) {
            (Some(default), _) => format!("default {default}"),
            (None, true) => "required".to_owned(),
            (None, false) => "optional".to_owned(),
        };
        let _ = writeln!(page, "asks for {name} ({asked}): {}", input.title);
    }
    if !definition.guidelines.is_empty() {
        let files = definition.guidelines.join(", ");
        let _ = writeln!(page, "follows the guidelines of the repository, the first of: {files}");
    }
    let mut below: BTreeMap<Option<&PhaseId>, Vec<&Phase>> = BTreeMap::new();
    for phase in &definition.phases {
        below.entry(parent(definition, phase)).or_default().push(phase);
    }
    // A stack in place of recursion: a graph may be some hundred phases deep.
    let mut open: Vec<(&Phase, usize)> = Vec::new();
    push(&below, &mut open, None, 0);
    while let Some((phase, depth)) = open.pop() {
        let indent = "  ".repeat(depth);
        let _ = writeln!(page, "{indent}{}: {}", phase.id, phase.title);
        for fact in facts(definition, phase) {
            let _ = writeln!(page, "{indent}    {fact}");
        }
        push(&below, &mut open, Some(&phase.id), depth);
    }
    page
}

/// Puts what lies below a phase next in line, indented where it is not alone.
fn push<'a>(
    below: &BTreeMap<Option<&'a PhaseId>, Vec<&'a Phase>>,
    open: &mut Vec<(&'a Phase, usize)>,
    of: Option<&'a PhaseId>,
    depth: usize,
) {
    let phases = below.get(&of).map_or(&[][..], Vec::as_slice);
    let depth = depth + usize::from(phases.len() > 1);
    open.extend(phases.iter().rev().map(|phase| (*phase, depth)));
}

/// The last phase, in the definition's order, that this one needs.
fn parent<'a>(definition: &'a Definition, phase: &'a Phase) -> Option<&'a PhaseId> {
    let order = |id: &&PhaseId| definition.phases.iter().position(|phase| phase.id == **id);
    definition.follows(phase).max_by_key(order)
}

fn facts(definition: &Definition, phase: &Phase) -> Vec<String> {
    let mut facts = Vec::new();
    if phase.on_demand {
        facts.push("begins only when a verdict goes back to it".to_owned());
    }
    let after: Vec<PhaseId> = definition.follows(phase).cloned().collect();
    if !after.is_empty() {
        facts.push(format!("after {}", list(&after)));
    }
    facts.extend(work(phase));
    if !phase.inputs.is_empty() {
        facts.push(format!("is given {}", list(&phase.inputs)));
    }
    if let Some(label) = &phase.label {
        let names = label.names().map(|(status, name)| match status {
            Some(status) => format!("{name} ({})", status_word(status)),
            None => name.to_owned(),
        });
        facts.push(format!("label {}", names.collect::<Vec<_>>().join(", ")));
    }
    if !phase.guidelines {
        facts.push("without the guidelines".to_owned());
    }
    if let Some(gate) = gate(&phase.prompt_gate) {
        facts.push(format!("prompt gate: {gate}"));
    }
    facts.push(format!(
        "gate: {}",
        gate(&phase.gate).unwrap_or_else(|| "none".to_owned())
    ));
    if let Some(to) = &phase.on_fail {
        let most = definition.phase(to).map_or(0, |to| to.limits.iterations);
        facts.push(format!("fail goes back to {to}, at most {most} iterations"));
    }
    facts
}

fn list(ids: &[PhaseId]) -> String {
    let ids: Vec<&str> = ids.iter().map(PhaseId::as_str).collect();
    ids.join(", ")
}

/// What a phase does.
fn work(phase: &Phase) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(variants) = &phase.variants {
        let specs = variants.specs();
        let titles: Vec<&str> = specs.iter().filter_map(|spec| spec.title.as_deref()).collect();
        let titles = match titles.is_empty() {
            true => String::new(),
            false => format!(": {}", titles.join(" | ")),
        };
        lines.push(format!("{} variants{titles}", specs.len()));
    }
    if let Some(of) = &phase.chooses {
        lines.push(format!("people choose among the variants of {of}"));
    }
    let mut by = match (&phase.agent, &phase.prompt, &phase.schema) {
        (Some(agent), _, _) => format!("agent {agent}"),
        (None, Some(prompt), None) => format!("scores by prompt {prompt}"),
        (None, Some(prompt), Some(schema)) => format!("prompt {prompt}, schema {schema}"),
        _ => String::new(),
    };
    if let Some(role) = &phase.role {
        by = format!("{role}: {by}");
    }
    if let Some(provider) = &phase.provider {
        by.push_str(&format!(", by {provider}"));
    }
    if !by.is_empty() {
        lines.push(by);
    }
    if let Some(each) = &phase.for_each {
        let wait = match each.wait {
            Wait::All => "waits for all",
            Wait::Done => "goes on with those that are done",
        };
        lines.push(format!(
            "a child {} for each issue of {}, at most {}, {wait}",
            each.definition, each.items, each.max
        ));
    }
    match &phase.executes {
        Some(source) if *source == phase.id => lines.push("carries out what it proposed".to_owned()),
        Some(source) => lines.push(format!("carries out what {source} proposed")),
        None => {}
    }
    lines
}

fn gate(gate: &Gate) -> Option<String> {
    let checks = gate.checks.as_ref().map(|checks| {
        let mut names: Vec<&str> = checks.host.iter().map(|check| check.name()).collect();
        names.extend(checks.named.iter().map(String::as_str));
        names.extend(checks.all.then_some("every check"));
        format!("checks: {}", names.join(", "))
    });
    let approver = gate.ai.as_ref().map(|ai| match &ai.provider {
        Some(provider) => format!("approver {provider}"),
        None => "an approver".to_owned(),
    });
    let people = gate.people().map(of_people);
    let parts: Vec<String> = checks.into_iter().chain(approver).chain(people).collect();
    (!parts.is_empty()).then(|| parts.join(", then "))
}

fn of_people(people: &PeopleGate) -> String {
    let expiry = people.expires_after_hours.map(|hours| {
        let then = match &people.on_expiry {
            OnExpiry::Remind => "reminds".to_owned(),
            OnExpiry::Reject => "rejects".to_owned(),
            OnExpiry::Phase(to) => format!("back to {to}"),
        };
        format!(", {then} after {hours} h")
    });
    let quorums: Vec<String> = people
        .quorums()
        .map(|quorum| {
            let names: Vec<String> = quorum.of.iter().map(ToString::to_string).collect();
            let of = match names.is_empty() {
                true => String::new(),
                false => format!(" of {}", names.join(", ")),
            };
            match quorum.quorum {
                1 => format!("people with {}{of}", people.right),
                many => format!("{many} people with {}{of}", people.right),
            }
        })
        .collect();
    let mut words = quorums.join(" and ");
    if people.code_owners {
        words.push_str(" and the code owners");
    }
    for excluded in &people.exclude {
        words.push_str(match excluded {
            Excluded::Starter => ", not who started it",
            Excluded::Author => ", not the author",
            Excluded::Steerers => ", not who shaped it",
        });
    }
    words.push_str(&expiry.unwrap_or_default());
    words
}

/// Text within a quoted label: Mermaid writes what it must not read as `#name;`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '`' => out.push_str("#96;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::embedded_definitions;

    fn of(name: &str) -> Definition {
        let all = embedded_definitions().unwrap();
        all.into_iter().find(|definition| definition.name == name).unwrap()
    }

    #[test]
    fn a_chart_shows_gates_and_what_leaves() {
        assert_eq!(
            mermaid(&of("deliver")),
            "flowchart TD\n  \
             p0[\"Tasks<br/>agent extract\"]\n  \
             p0 --> g0{\"people with write, reminds after 168 h\"}\n  \
             p1[\"Issues<br/>carries out what extract proposed\"]\n  \
             p2[\"Mail<br/>agent email<br/>carries out what it proposed\"]\n  \
             p2 --> g2{\"people with write, reminds after 168 h\"}\n  \
             g0 --> p1\n  \
             p1 --> p2\n"
        );
    }

    #[test]
    fn a_chart_shows_loops_and_what_begins_on_demand() {
        let chart = mermaid(&of("generate"));
        for line in [
            "  q0{\"prompt: people with write\"} --> p0\n",
            "  g1 -.-> q2\n",
            "  g2 -.-> q3\n",
            "  g3 -- \"fail, at most 3 iterations\" --> q2\n",
            "  class p2 ondemand\n",
        ] {
            assert!(chart.contains(line), "{line}{chart}");
        }
    }

    #[test]
    fn a_text_shows_the_same() {
        assert_eq!(
            text(&of("deliver")),
            "deliver 1: Deliver what was discussed\n\
             extract: Tasks\n    agent extract\n    gate: people with write, reminds after 168 h\n\
             tickets: Issues\n    after extract\n    carries out what extract proposed\n    gate: none\n\
             email: Mail\n    after tickets\n    agent email\n    carries out what it proposed\n    \
             is given extract, tickets\n    gate: people with write, reminds after 168 h\n"
        );
        let generate = text(&of("generate"));
        for line in [
            "asks for goal (required): ",
            "fail goes back to revise, at most 3 iterations",
            "begins only when a verdict goes back to it",
            "follows the guidelines of the repository, the first of: AGENTS.md, CLAUDE.md\n",
        ] {
            assert!(generate.contains(line), "{line}\n{generate}");
        }
        let variants = text(&of("variants"));
        assert_eq!(
            variants.matches("    without the guidelines\n").count(),
            1,
            "{variants}"
        );
    }

    #[test]
    fn labels_hold_no_syntax() {
        assert_eq!(
            escaped("a \"b\" <c> #1 `d`\n"),
            "a #quot;b#quot; #lt;c#gt; #35;1 #96;d#96; "
        );
    }
}
