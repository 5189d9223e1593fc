//! `/edit`: change what is shown.

use super::{Example, Verb, task};
use crate::chat::args::ArgumentProblem;
use crate::chat::reader::Addressed;
use crate::chat::request::{FieldChange, ItemKey, Request};
use crate::text::arguments::{self, Argument};
use crate::workflow::right::{Requirement, Right};

/// The verb's entry in the table.
pub static VERB: Verb = Verb {
    name: "edit",
    aliases: &[],
    requirement: Requirement::at_least(Right::Write),
    summary: "Changes what the card shows, before it is approved.",
    usage: "/edit ITEM FIELD=VALUE …\n/edit FIELD=VALUE …\n/edit, and below it a fenced block with the new text",
    details: "Fields: `title`, `body`, `assign` (`@login` or `none`), `labels` (`a,b`), `priority` (`low`, \
        `medium`, `high`, `critical`), `est` (`XS` to `XL`), `due` (`2026-12-01`), `depends` (`t1,t3`), \
        `criteria` (`\"one; two\"`). What has spaces in it goes in quotes. A mail has `subject` and `text`. \
        With an item, a fenced block below is its body; without one, it takes the place of the whole text. \
        The card gets a new digest, and approvals of the old one are void.",
    examples: &[
        Example {
            comment: "/edit t2 title=\"Write the runbook\" assign=@bob",
            meaning: "changes the second task",
        },
        Example {
            comment: "/edit subject=\"What we agreed on\"",
            meaning: "changes the subject of the mail",
        },
        Example {
            comment: "/edit t1\n```\nMove the nightly job to the new host.\n```",
            meaning: "replaces the first task's body",
        },
    ],
    parse,
};

fn parse(addressed: &Addressed) -> Result<Request, ArgumentProblem> {
    let mut item = None;
    let mut changes: Vec<FieldChange> = Vec::new();
    for argument in arguments::split(&addressed.rest)? {
        match argument {
            Argument::Named { key, value } => task::add(&mut changes, &key, &value)?,
            Argument::Positional { value, .. } if item.is_none() && changes.is_empty() => {
                item = Some(ItemKey::new(value.trim_end_matches(':'))?);
            }
            Argument::Positional { raw, .. } => {
                let hint = ": write FIELD=VALUE, with quotes around a value that has spaces";
                return Err(ArgumentProblem::Unexpected {
                    typed: raw.to_owned(),
                    hint,
                });
            }
        }
    }
    let mut replacement = addressed.fenced.clone().filter(|text| !text.trim().is_empty());
    if item.is_some()
        && let Some(body) = replacement.take()
    {
        task::add(&mut changes, "body", &body)?;
    }
    if replacement.is_some() && !changes.is_empty() {
        return Err(ArgumentProblem::Missing(
            "Either fields or a fenced block with the whole text: both at once would contradict each other.",
        ));
    }
    if replacement.is_none() && changes.is_empty() {
        return Err(ArgumentProblem::Missing(
            "Say what shall change: FIELD=VALUE, or a fenced block below the command.",
        ));
    }
    Ok(Request::Edit {
        item,
        changes,
        replacement,
    })
}
