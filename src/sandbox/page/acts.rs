//! What a person does on the page.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::Door;
use super::markdown::ticked;
use super::state::version;
use crate::sandbox::{CommentId, IssueNumber, Person, Refusal, Role, Sandbox};

/// Who does what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// A login.
    #[serde(rename = "as")]
    who: String,
    act: Act,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Act {
    Open {
        title: String,
        body: String,
    },
    StartDiscussion {
        title: String,
        body: String,
    },
    Comment {
        issue: IssueNumber,
        body: String,
    },
    /// Below a comment of a discussion.
    Reply {
        comment: CommentId,
        body: String,
    },
    EditComment {
        comment: CommentId,
        body: String,
        version: String,
    },
    EditIssue {
        issue: IssueNumber,
        title: String,
        body: String,
    },
    DeleteComment {
        comment: CommentId,
    },
    /// A box of a comment, or of the issue's own text.
    Tick {
        issue: IssueNumber,
        comment: Option<CommentId>,
        nth: usize,
        on: bool,
        version: String,
    },
    Label {
        issue: IssueNumber,
        name: String,
    },
    Unlabel {
        issue: IssueNumber,
        name: String,
    },
    Close {
        issue: IssueNumber,
    },
    Reopen {
        issue: IssueNumber,
    },
    Lock {
        issue: IssueNumber,
    },
    Unlock {
        issue: IssueNumber,
    },
    /// How a check stands on the head of a pull request.
    Check {
        issue: IssueNumber,
        name: String,
        /// None while it runs.
        conclusion: Option<String>,
    },
    /// A commit status on the head of a pull request.
    Status {
        issue: IssueNumber,
        context: String,
        state: String,
    },
    /// A file of the default branch.
    Write {
        path: String,
        text: String,
        /// None for one that is not there yet.
        version: Option<String>,
    },
    /// What somebody may do from now on; a login that nobody has is given to somebody new.
    Role {
        of: String,
        is: String,
    },
    /// A team `org/slug` of exactly these people.
    Team {
        name: String,
        people: Vec<String>,
    },
}

/// Does it, and answers with the number of an issue that was opened, or with GitHub's reason against it.
pub(super) async fn answer(State(door): State<Door>, wish: Result<Json<Wish>, JsonRejection>) -> Response {
    let wish = match wish {
        Ok(Json(wish)) => wish,
        Err(rejection) => return refuse(rejection.status(), &rejection.body_text()),
    };
    let Some(sandbox) = door.sandbox() else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "The sandbox is stopping.");
    };
    if !sandbox.people().iter().any(|(login, _)| *login == wish.who) {
        return refuse(
            StatusCode::UNPROCESSABLE_ENTITY,
            &format!("There is no {} here.", wish.who),
        );
    }
    match perform(&sandbox, &sandbox.as_(&wish.who), wish.act) {
        Ok(issue) => Json(json!({ "issue": issue })).into_response(),
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            refuse(status, &refusal.to_string())
        }
    }
}

fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

fn perform(sandbox: &Sandbox, person: &Person, act: Act) -> Result<Option<IssueNumber>, Refusal> {
    match act {
        Act::Open { title, body } => return person.open_issue(&title, &body).map(Some),
        Act::StartDiscussion { title, body } => return person.start_discussion(&title, &body).map(Some),
        Act::Comment { issue, body } => person.comment(issue, &body).map(|_| ())?,
        Act::Reply { comment, body } => person.reply(comment, &body).map(|_| ())?,
        Act::EditComment {
            comment,
            body,
            version: seen,
        } => {
            unchanged(&text_of(sandbox, comment)?, &seen)?;
            person.edit_comment(comment, &body)?;
        }
        Act::EditIssue { issue, title, body } => person.edit_issue(issue, Some(&title), Some(&body))?,
        Act::DeleteComment { comment } => person.delete_comment(comment)?,
        Act::Tick {
            issue,
            comment,
            nth,
            on,
            version: seen,
        } => {
            let text = match comment {
                Some(comment) => text_of(sandbox, comment)?,
                None => sandbox.issue(issue).map(|issue| issue.body).ok_or_else(gone)?,
            };
            unchanged(&text, &seen)?;
            let text = ticked(&text, nth, on).ok_or_else(gone)?;
            match comment {
                Some(comment) => person.edit_comment(comment, &text)?,
                None => person.edit_issue(issue, None, Some(&text))?,
            }
        }
        Act::Label { issue, name } => person.label(issue, &name)?,
        Act::Unlabel { issue, name } => person.unlabel(issue, &name)?,
        Act::Close { issue } => person.close(issue)?,
        Act::Reopen { issue } => person.reopen(issue)?,
        Act::Lock { issue } => person.lock(issue)?,
        Act::Unlock { issue } => person.unlock(issue)?,
        Act::Check {
            issue,
            name,
            conclusion,
        } => person.check(issue, &name, conclusion.as_deref())?,
        Act::Status { issue, context, state } => person.status(issue, &context, &state)?,
        Act::Write {
            path,
            text,
            version: seen,
        } => {
            match (sandbox.file(&path), seen) {
                (Some(text), Some(seen)) => unchanged(&text, &seen)?,
                (None, None) => {}
                (None, Some(_)) => return Err(gone()),
                (Some(_), None) => return Err(Refusal::new(409, "There is a file of this path already.")),
            }
            person.set_file(&path, &text).map(|_| ())?;
        }
        Act::Role { of, is } => sandbox.set_role(&login(&of)?, role(&is)?),
        Act::Team { name, people } => team(sandbox, &name, &people)?,
    }
    Ok(None)
}

/// A login as GitHub allows one.
fn login(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    match !text.is_empty() && text.len() <= 39 && text.chars().all(allowed) {
        true => Ok(text.to_owned()),
        false => Err(Refusal::new(
            422,
            "A login has letters, digits and hyphens, at most 39.",
        )),
    }
}

fn role(name: &str) -> Result<Role, Refusal> {
    let roles = [
        Role::None,
        Role::Read,
        Role::Triage,
        Role::Write,
        Role::Maintain,
        Role::Admin,
    ];
    let found = roles.into_iter().find(|role| role.name() == name);
    found.ok_or_else(|| Refusal::new(422, "A role is none, read, triage, write, maintain or admin."))
}

fn team(sandbox: &Sandbox, name: &str, people: &[String]) -> Result<(), Refusal> {
    let name = name.trim().trim_start_matches('@');
    let parts: Vec<&str> = name.split('/').collect();
    let [org, slug] = parts[..] else {
        return Err(Refusal::new(
            422,
            "A team is named organisation/team, such as acme/security.",
        ));
    };
    login(org)?;
    login(slug)?;
    let there = sandbox.people();
    if let Some(nobody) = people
        .iter()
        .find(|login| !there.iter().any(|(known, _)| known == *login))
    {
        return Err(Refusal::new(422, &format!("There is no {nobody} here.")));
    }
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    sandbox.set_team(name, &people);
    Ok(())
}

fn text_of(sandbox: &Sandbox, comment: CommentId) -> Result<String, Refusal> {
    sandbox.comment(comment).map(|comment| comment.body).ok_or_else(gone)
}

fn gone() -> Refusal {
    Refusal::new(404, "This is not there any more.")
}

/// A click or an edit counts only for the text that the person saw.
fn unchanged(text: &str, seen: &str) -> Result<(), Refusal> {
    if version(text) == seen {
        Ok(())
    } else {
        Err(Refusal::new(
            409,
            "This text was changed meanwhile. Look again, then repeat it.",
        ))
    }
}
