//! What can be changed.

use super::objects::{Found, Object, comment, node, permissions, repo_of};
use super::run::{Arguments, Trouble};
use crate::sandbox::acts::comments::ReactionTarget;
use crate::sandbox::ids::*;
use crate::sandbox::model::*;
use crate::sandbox::rest::Call;

/// The reasons that GitHub knows for hiding a comment.
const CLASSIFIERS: [&str; 7] = [
    "ABUSE",
    "DUPLICATE",
    "LOW_QUALITY",
    "OFF_TOPIC",
    "OUTDATED",
    "RESOLVED",
    "SPAM",
];

/// GraphQL's names of the reactions, and REST's.
const REACTIONS: [(&str, &str); 8] = [
    ("THUMBS_UP", "+1"),
    ("THUMBS_DOWN", "-1"),
    ("LAUGH", "laugh"),
    ("HOORAY", "hooray"),
    ("CONFUSED", "confused"),
    ("HEART", "heart"),
    ("ROCKET", "rocket"),
    ("EYES", "eyes"),
];

/// Carries out one mutation.
pub(super) fn carry_out(call: &mut Call<'_>, name: &str, input: &Arguments) -> Result<Found, Trouble> {
    let (payload, fields) = match name {
        "addDiscussionComment" => (
            "AddDiscussionCommentPayload",
            vec![("comment", add_comment(call, input)?)],
        ),
        "updateDiscussionComment" => (
            "UpdateDiscussionCommentPayload",
            vec![("comment", update_comment(call, input)?)],
        ),
        "deleteDiscussionComment" => (
            "DeleteDiscussionCommentPayload",
            vec![("comment", delete_comment(call, input)?)],
        ),
        "addReaction" => ("AddReactionPayload", react(call, input)?),
        "addLabelsToLabelable" => (
            "AddLabelsToLabelablePayload",
            vec![("labelable", label(call, input, true)?)],
        ),
        "removeLabelsFromLabelable" => (
            "RemoveLabelsFromLabelablePayload",
            vec![("labelable", label(call, input, false)?)],
        ),
        "minimizeComment" => (
            "MinimizeCommentPayload",
            vec![("minimizedComment", minimize(call, input)?)],
        ),
        _ => return Err(Trouble::NoSuchField),
    };
    Ok(Found::One(Some(Object::Payload(payload, fields))))
}

/// The node that an input names, and the App as who writes there.
fn target(call: &mut Call<'_>, input: &Arguments, name: &str) -> Result<(Object, Actor), Trouble> {
    let id = input.text(name).unwrap_or_default();
    let found = node(call.world, id)?;
    let repo = repo_of(call.world, &found)?;
    let actor = call.need(repo, &permissions(found.type_name(), Access::Write))?;
    Ok((found, actor))
}

/// The comment of a discussion that an input names.
fn comment_of(call: &mut Call<'_>, input: &Arguments, name: &str) -> Result<(CommentId, Actor), Trouble> {
    match target(call, input, name)? {
        (Object::Comment("DiscussionComment", id), actor) => Ok((id, actor)),
        _ => Err(Trouble::no_node(input.text(name).unwrap_or_default())),
    }
}

fn add_comment(call: &mut Call<'_>, input: &Arguments) -> Result<Object, Trouble> {
    let (found, actor) = target(call, input, "discussionId")?;
    let Object::Topic("Discussion", discussion) = found else {
        return Err(Trouble::no_node(input.text("discussionId").unwrap_or_default()));
    };
    let body = input.text("body").unwrap_or_default();
    let id = match input.text("replyToId") {
        None => call.world.add_comment(actor, discussion, body)?,
        Some(_) => {
            let (to, _) = comment_of(call, input, "replyToId")?;
            if call.world.live_comment(to)?.issue != discussion {
                let message = "Parent comment is in a different discussion".to_owned();
                return Err(Trouble::Refused("UNPROCESSABLE", message));
            }
            call.world.reply_in_discussion(actor, to, body)?
        }
    };
    Ok(comment(call.world, id)?)
}

fn update_comment(call: &mut Call<'_>, input: &Arguments) -> Result<Object, Trouble> {
    let (id, actor) = comment_of(call, input, "commentId")?;
    call.world
        .edit_comment(actor, id, input.text("body").unwrap_or_default())?;
    Ok(comment(call.world, id)?)
}

fn delete_comment(call: &mut Call<'_>, input: &Arguments) -> Result<Object, Trouble> {
    let (id, actor) = comment_of(call, input, "id")?;
    call.world.delete_comment(actor, id)?;
    Ok(Object::Comment("DiscussionComment", id))
}

fn react(call: &mut Call<'_>, input: &Arguments) -> Result<Vec<(&'static str, Object)>, Trouble> {
    let (found, actor) = target(call, input, "subjectId")?;
    let content = input.text("content").unwrap_or_default();
    let Some((_, name)) = REACTIONS.iter().find(|(known, _)| *known == content) else {
        return Err(Trouble::Refused("UNPROCESSABLE", format!("{content} is no reaction")));
    };
    let on = match &found {
        Object::Topic(_, id) => ReactionTarget::Issue(*id),
        Object::Comment(_, id) => ReactionTarget::Comment(*id),
        _ => return Err(Trouble::no_node(input.text("subjectId").unwrap_or_default())),
    };
    call.world.react(actor, on, name)?;
    Ok(vec![
        ("reaction", Object::Reaction(content.to_owned())),
        ("subject", found),
    ])
}

fn label(call: &mut Call<'_>, input: &Arguments, set: bool) -> Result<Object, Trouble> {
    let (found, actor) = target(call, input, "labelableId")?;
    let Object::Topic(_, id) = found else {
        return Err(Trouble::no_node(input.text("labelableId").unwrap_or_default()));
    };
    let repo = repo_of(call.world, &found)?;
    let mut names = Vec::new();
    for wanted in input.texts("labelIds") {
        let labels = &call.world.live_repo(repo)?.labels;
        let known = labels.iter().find(|label| node_id("LA", label.id.0) == wanted);
        names.push(known.ok_or_else(|| Trouble::no_node(&wanted))?.name.clone());
    }
    if set {
        call.world.add_labels(actor, id, &names)?;
        return Ok(found);
    }
    let present = call.world.label_names(call.world.live_issue(id)?);
    // What is not there need not be taken off, and is no error.
    for name in names.iter().filter(|name| present.contains(name)) {
        call.world.remove_label(actor, id, name)?;
    }
    Ok(found)
}

fn minimize(call: &mut Call<'_>, input: &Arguments) -> Result<Object, Trouble> {
    let (found, _) = target(call, input, "subjectId")?;
    let Object::Comment(_, id) = found else {
        return Err(Trouble::no_node(input.text("subjectId").unwrap_or_default()));
    };
    let classifier = input.text("classifier").unwrap_or_default();
    if !CLASSIFIERS.contains(&classifier) {
        let message = "Variable $classifier was not provided".to_owned();
        return Err(Trouble::Refused("UNPROCESSABLE", message));
    }
    call.world.minimize_comment(id, classifier)?;
    Ok(found)
}
