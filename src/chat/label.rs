//! Labels by which people speak: a few stand for a verb, every other one for a definition that is to be started. GitHub
//! takes names that differ only in case as one, and so does whatever reads them here.

use super::request::Request;
use crate::workflow::definition::nearest;
use crate::workflow::labels::{LONGEST, SPOKEN, folded, is_spoken};

/// The verbs that a label can say, behind the prefix. A definition of such a name cannot be started by a label.
pub const VERBS: [&str; 4] = ["deliver", "approve", "reject", "hold"];

/// What stands behind the prefix, in lower case; nothing for a label by which nobody speaks.
pub fn word(label: &str) -> Option<String> {
    is_spoken(label).then(|| folded(label)[SPOKEN.len()..].trim().to_owned())
}

/// What a label asks for. Whether there is such a definition is not looked at.
pub fn request(label: &str) -> Option<Request> {
    const SAID: &str = "said by label";
    Some(match word(label)?.as_str() {
        "deliver" => Request::Deliver,
        "approve" => Request::Approve {
            verdict: None,
            digest: None,
            reason: None,
        },
        "reject" => Request::Reject {
            reason: SAID.to_owned(),
        },
        "hold" => Request::Hold {
            reason: Some(SAID.to_owned()),
        },
        definition => Request::Run {
            definition: definition.to_owned(),
            given: Vec::new(),
        },
    })
}

/// The command that says the same.
pub fn command(label: &str) -> Option<String> {
    let word = word(label)?;
    Some(match VERBS.contains(&word.as_str()) {
        true => format!("/{word}"),
        false => format!("/run {word}"),
    })
}

/// The label that starts a definition.
///
/// # Errors
/// Why there is none, as the end of a sentence about the definition.
pub fn that_starts(definition: &str) -> Result<String, String> {
    let label = format!("{SPOKEN}{definition}");
    if VERBS.contains(&definition) && definition != "deliver" {
        return Err(format!("cannot be started by a label: `{label}` says `/{definition}`"));
    }
    if label.chars().count() > LONGEST {
        return Err(format!(
            "cannot be started by a label: `{label}` has more than GitHub's {LONGEST} characters"
        ));
    }
    Ok(label)
}

/// The label that was most likely meant by one that says nothing, of the verbs' and those of these definitions.
pub fn meant(label: &str, definitions: &[&str]) -> Option<String> {
    let word = word(label)?;
    let all: Vec<&str> = VERBS.iter().chain(definitions).copied().collect();
    nearest(&word, &all).map(|near| format!("{SPOKEN}{near}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_says_a_verb_or_names_a_definition_whatever_its_case() {
        for (label, command_said) in [
            ("countersign:deliver", Some("/deliver")),
            ("Countersign:Approve", Some("/approve")),
            ("COUNTERSIGN:HOLD", Some("/hold")),
            ("countersign:reject", Some("/reject")),
            ("countersign:solve", Some("/run solve")),
            ("countersign:JPA-MT", Some("/run jpa-mt")),
            ("countersign: tasks", Some("/run tasks")),
            ("countersign:cancel", Some("/run cancel")),
            ("countersign:", Some("/run ")),
            ("countersign", None),
            ("countersigned:solve", None),
            ("wf:solve", None),
            ("my countersign:solve", None),
        ] {
            assert_eq!(command(label).as_deref(), command_said, "{label}");
            let verb = command_said.map(|said| said[1..].split(' ').next().unwrap_or_default());
            assert_eq!(request(label).as_ref().map(Request::verb), verb, "{label}");
        }
        let given = Request::Run {
            definition: "solve".to_owned(),
            given: Vec::new(),
        };
        assert_eq!(request("Countersign:Solve"), Some(given));
    }

    #[test]
    fn what_was_meant_is_a_verb_or_a_definition() {
        let known = ["solve", "generate"];
        for (typed, expected) in [
            ("countersign:solv", Some("countersign:solve")),
            ("Countersign:Aprove", Some("countersign:approve")),
            ("countersign:genarate", Some("countersign:generate")),
            ("countersign:weather", None),
            ("countersign:", None),
        ] {
            assert_eq!(meant(typed, &known).as_deref(), expected, "{typed}");
        }
    }

    #[test]
    fn a_definition_that_no_label_can_start_is_told_why() {
        assert_eq!(that_starts("solve").as_deref(), Ok("countersign:solve"));
        assert_eq!(that_starts("deliver").as_deref(), Ok("countersign:deliver"));
        assert!(
            that_starts("hold")
                .unwrap_err()
                .contains("`countersign:hold` says `/hold`")
        );
        let most = "a".repeat(LONGEST - SPOKEN.len());
        assert!(that_starts(&most).is_ok());
        assert!(that_starts(&format!("{most}a")).unwrap_err().contains("50 characters"));
    }
}
