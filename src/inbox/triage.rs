//! A first look at a delivery, before it is stored: where it belongs, and whether anything has to be done at all.
//! Pure, so that what nobody handles costs one commit.

use crate::github::{AccountKind, Event, EventKind, Parsed, parse_with_action};
use crate::store::deliveries::NewDelivery;
use crate::workflow::ids::DeliveryId;
use crate::workflow::labels::is_spoken;

/// Reads what is needed to queue a delivery. What has nothing to do is settled at once, with the reason.
pub fn triage(id: DeliveryId, event: &str, body: Vec<u8>) -> NewDelivery {
    let (parsed, action) = parse_with_action(event, &body);
    let mut delivery = NewDelivery {
        id,
        event: event.to_owned(),
        action,
        installation: None,
        repository: None,
        subject: None,
        body,
        settled: None,
        trace: None,
    };
    match parsed {
        Parsed::Event(event) => {
            delivery.installation = event.installation;
            delivery.repository = event.repository.as_ref().map(|repository| repository.id);
            delivery.subject = subject_of(&event.kind);
            delivery.settled = settled(&event).map(str::to_owned);
        }
        Parsed::Ignored(why) => delivery.settled = Some(why.to_owned()),
        // Kept as it is: the engine says what is wrong with it where an operator looks.
        Parsed::Broken(_) => {}
    }
    delivery
}

/// The issue or pull request that an event is about.
pub fn subject_of(kind: &EventKind) -> Option<crate::workflow::ids::IssueNumber> {
    match kind {
        EventKind::Comment(comment)
        | EventKind::CommentEdited { comment, .. }
        | EventKind::CommentDeleted { comment } => Some(comment.subject.number),
        EventKind::Labeled { subject, .. }
        | EventKind::Unlabeled { subject, .. }
        | EventKind::SubjectClosed { subject }
        | EventKind::SubjectReopened { subject }
        | EventKind::SubjectEdited { subject, .. }
        | EventKind::SubjectDeleted { subject }
        | EventKind::SubjectTransferred { subject, .. }
        | EventKind::SubjectLocked { subject }
        | EventKind::SubjectUnlocked { subject }
        | EventKind::PullOpened { subject }
        | EventKind::PullSynchronize { subject, .. } => Some(subject.number),
        EventKind::Installation(_)
        | EventKind::RepositoryChanged(_)
        | EventKind::Push(_)
        | EventKind::ChecksChanged
        | EventKind::Ping => None,
    }
}

/// Why nothing has to be done, where that can be said without asking anybody.
fn settled(event: &Event) -> Option<&'static str> {
    let by_a_bot = event
        .sender
        .as_ref()
        .is_some_and(|sender| sender.kind == AccountKind::Bot);
    match &event.kind {
        EventKind::Comment(_) | EventKind::CommentEdited { .. } | EventKind::Labeled { .. } if by_a_bot => {
            Some("a bot did it")
        }
        EventKind::Comment(comment) if comment.author.kind == AccountKind::Bot => Some("a bot wrote it"),
        EventKind::Comment(comment) if !may_address(&comment.body) => Some("nobody was addressed"),
        EventKind::CommentEdited { comment, .. } if comment.author.kind != AccountKind::Bot => {
            Some("an edit never runs a command")
        }
        EventKind::Labeled { label, .. } if !is_spoken(label) => Some("a label of somebody else"),
        EventKind::Unlabeled { .. }
        | EventKind::SubjectReopened { .. }
        | EventKind::SubjectEdited { .. }
        | EventKind::SubjectLocked { .. }
        | EventKind::SubjectUnlocked { .. }
        | EventKind::Ping => Some("nothing to do"),
        _ => None,
    }
}

/// Whether a comment can hold a command, or an answer below a quote, at all. Errs towards yes; the reader knows Markdown
/// and decides.
fn may_address(body: &str) -> bool {
    body.contains(['/', '@']) || body.trim_start().starts_with('>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_handles_is_settled_at_once_and_what_cannot_be_read_is_kept() {
        let look = |event: &str, body: &str| triage(DeliveryId::from("d"), event, body.as_bytes().to_vec());
        assert!(look("star", r#"{"action":"created"}"#).settled.is_some());
        assert_eq!(
            look("star", r#"{"action":"created"}"#).action.as_deref(),
            Some("created")
        );
        let broken = look("issue_comment", "{not json");
        assert_eq!((broken.settled, broken.action), (None, None));
    }
}
