//! `/task`: add a task.

use super::{Example, Verb};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::{FieldChange, Request};
use crate::text::arguments::{self, Argument};
use crate::workflow::right::{Requirement, Right};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "task",
    aliases: &[],
    requirement: Requirement::at_least(Right::Triage),
    summary: "Adds a task to those that the card shows.",
    usage: "/task TITLE [FIELD=VALUE …]\n/task title=\"TITLE\" [FIELD=VALUE …]",
    details: "Fields: `title`, `body`, `assign` (`@login` or `none`), `labels` (`a,b`), `priority` (`low`, \
        `medium`, `high`, `critical`), `est` (`XS` to `XL`), `due` (`2026-12-01`), `depends` (`t1,t3`), \
        `criteria` (`\"one; two\"`). What has spaces in it goes in quotes. Lines below the command are the \
        body. The card gets a new digest, and approvals of the old one are void.",
    examples: &[
        Example {
            comment: "/task Write the runbook",
            meaning: "adds a task",
        },
        Example {
            comment: "/task title=\"Write the runbook\" assign=@bob labels=docs,ops \
                      priority=high est=S due=2026-12-01 depends=t1,t3 criteria=\"steps to roll back; who to call\"",
            meaning: "adds a task with all that is known about it",
        },
    ],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    let mut words: Vec<&str> = Vec::new();
    let mut fields: Vec<FieldChange> = Vec::new();
    let mut quoted_title = None;
    for argument in arguments::split(&addressed.rest)? {
        match argument {
            Argument::Named { key, value } => add(&mut fields, &key, &value)?,
            Argument::Positional { value, raw } => {
                words.push(raw);
                quoted_title = Some(value);
            }
        }
    }
    // A title that is quoted as a whole loses its quotes; quotes within one are part of it.
    let title = match words.as_slice() {
        [_] => quoted_title,
        _ => Some(words.join(" ")),
    };
    if let Some(title) = title.filter(|title| !title.is_empty()) {
        add(&mut fields, "title", &title)?;
    }
    if !fields.iter().any(|field| matches!(field, FieldChange::Title(_))) {
        return Err(ArgumentProblem::Missing("A task needs a title."));
    }
    let has_body = fields.iter().any(|field| matches!(field, FieldChange::Body(_)));
    if !has_body && !addressed.following.is_empty() {
        fields.push(FieldChange::Body(addressed.following.clone()));
    }
    Ok(Request::Task { fields })
}

/// Adds a field unless it is there already, perhaps by its other name.
pub(super) fn add(fields: &mut Vec<FieldChange>, key: &str, value: &str) -> Result<(), ArgumentProblem> {
    let change = FieldChange::parse(key, value)?;
    if fields.iter().any(|field| field.name() == change.name()) {
        return Err(ArgumentProblem::DuplicateField(change.name().to_owned()));
    }
    fields.push(change);
    Ok(())
}
