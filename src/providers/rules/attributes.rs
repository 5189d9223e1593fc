//! What a sentence says beside the work itself: day, priority, size, labels, person, what it waits for.

use chrono::NaiveDate;

use super::dates::day;
use crate::agents::extract::{Estimate, Priority};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// By when.
    pub due: Option<NaiveDate>,
    /// How urgent.
    pub priority: Option<Priority>,
    /// How large.
    pub estimate: Option<Estimate>,
    /// Label names.
    pub labels: Vec<String>,
    /// A mentioned login.
    pub assignee: Option<String>,
    /// Words that name other tasks.
    pub after: Vec<After>,
}

/// What a task waits for, in the words of the sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// `t1`, `#1`, a quoted or plain part of a title.
    pub words: String,
    /// The text that said so, to be cut from the title when it is understood. Empty when it is cut already.
    pub phrase: String,
}

/// How many phrases of one sentence are looked at.
const WAITS: usize = 8;

/// Takes the attributes out of `text`. What was understood without doubt is cut; the rest stays.
pub fn take(text: &str, written: NaiveDate) -> (String, Attributes) {
    let mut found = Attributes::default();
    let mut text = groups(text, written, &mut found);
    inline_due(&mut text, written, &mut found);
    inline_values(&mut text, &mut found);
    trailing_priority(&mut text, &mut found);
    waits(&text, &mut found);
    (tidy(&text), found)
}

/// Groups in brackets all of whose parts are attributes: `(@bob, M, by Friday)`.
fn groups(text: &str, written: NaiveDate, found: &mut Attributes) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(open) = rest.find(['(', '[']) {
        let close = if rest[open..].starts_with('(') { ')' } else { ']' };
        let Some(length) = rest[open..].find(close) else { break };
        let inner = &rest[open + 1..open + length];
        let mut trial = found.clone();
        let understood = !inner.trim().is_empty()
            && inner
                .split([',', ';'])
                .all(|part| part_of_group(part.trim(), written, &mut trial));
        kept.push_str(&rest[..open]);
        if understood {
            *found = trial;
        } else {
            kept.push_str(&rest[open..=open + length]);
        }
        rest = &rest[open + length + 1..];
    }
    kept.push_str(rest);
    kept
}

fn part_of_group(part: &str, written: NaiveDate, found: &mut Attributes) -> bool {
    let lower = part.to_lowercase();
    if let Some(login) = part.strip_prefix('@').filter(|login| is_login(login)) {
        found.assignee.get_or_insert_with(|| login.to_owned());
        return true;
    }
    if let Ok(estimate) = part.parse::<Estimate>()
        && part == estimate.as_str()
    {
        found.estimate.get_or_insert(estimate);
        return true;
    }
    let date = ["due on ", "due by ", "due: ", "due ", "by ", "until ", "before ", ""]
        .iter()
        .find_map(|start| {
            let rest = lower.strip_prefix(start)?;
            // `may` and `friday` alone in brackets are remarks, a full date is not.
            day(rest, written)
                .filter(|(_, length)| *length == rest.len() && (!start.is_empty() || rest.starts_with("20")))
        });
    if let Some((date, _)) = date {
        found.due.get_or_insert(date);
        return true;
    }
    if let Some(priority) = priority(&lower) {
        found.priority.get_or_insert(priority);
        return true;
    }
    if let Some((name, value)) = part.split_once([':', '=']) {
        return value_of(name, value, found);
    }
    for start in ["after ", "depends on ", "blocked by ", "once ", "needs "] {
        if let Some(words) = lower.strip_prefix(start) {
            let words = part[part.len() - words.len()..].trim();
            found.after.push(After {
                words: words.to_owned(),
                phrase: String::new(),
            });
            return true;
        }
    }
    false
}

fn value_of(name: &str, value: &str, found: &mut Attributes) -> bool {
    let value = value.trim();
    match name.trim().to_lowercase().as_str() {
        "est" | "estimate" | "size" | "effort" => match value.parse() {
            Ok(estimate) => {
                found.estimate.get_or_insert(estimate);
                true
            }
            Err(_) => false,
        },
        "prio" | "priority" => match value.parse() {
            Ok(priority) => {
                found.priority.get_or_insert(priority);
                true
            }
            Err(_) => false,
        },
        "label" | "labels" if !value.is_empty() => {
            found.labels.push(value.to_owned());
            true
        }
        _ => false,
    }
}

fn priority(lower: &str) -> Option<Priority> {
    Some(match lower {
        "critical" | "critical priority" | "blocker" | "p0" => Priority::Critical,
        "high" | "high priority" | "high prio" | "urgent" | "asap" | "important" | "p1" => Priority::High,
        "medium" | "medium priority" | "medium prio" | "p2" => Priority::Medium,
        "low" | "low priority" | "low prio" | "nice to have" | "p3" => Priority::Low,
        _ => return None,
    })
}

/// `by Friday`, `due 2026-12-01`, `until tomorrow` anywhere: cut. `on Monday`: kept, it may be part of the work.
fn inline_due(text: &mut String, written: NaiveDate, found: &mut Attributes) {
    for start in [
        "due on ",
        "due by ",
        "due: ",
        "due ",
        "by the ",
        "by ",
        "until ",
        "before ",
        "no later than ",
        "on ",
    ] {
        let lower = text.to_ascii_lowercase();
        for (at, _) in lower.match_indices(start) {
            if lower[..at].ends_with(|c: char| c.is_alphanumeric()) {
                continue;
            }
            if let Some((date, length)) = day(&text[at + start.len()..], written) {
                found.due.get_or_insert(date);
                if start != "on " {
                    text.replace_range(at..at + start.len() + length, "");
                }
                return;
            }
        }
    }
}

/// `est: S`, `priority: high`, `size=M` anywhere.
fn inline_values(text: &mut String, found: &mut Attributes) {
    for name in ["estimate", "est", "size", "effort", "priority", "prio"] {
        let lower = text.to_ascii_lowercase();
        for (at, _) in lower.match_indices(name) {
            if lower[..at].ends_with(|c: char| c.is_alphanumeric()) {
                continue;
            }
            let after = &text[at + name.len()..];
            let Some(rest) = after.strip_prefix([':', '=']) else {
                continue;
            };
            let word: String = rest
                .trim_start()
                .chars()
                .take_while(char::is_ascii_alphabetic)
                .collect();
            if value_of(name, &word, found) {
                let end = text.len() - rest.trim_start().len() + word.len();
                text.replace_range(at..end, "");
                break;
            }
        }
    }
}

/// `…, urgent` and `… ASAP` at the end.
fn trailing_priority(text: &mut String, found: &mut Attributes) {
    let end = text.trim_end_matches(|c: char| !c.is_alphanumeric()).len();
    let lower = text[..end].to_ascii_lowercase();
    for words in [
        "high priority",
        "low priority",
        "critical priority",
        "nice to have",
        "urgent",
        "asap",
    ] {
        let Some(before) = lower.strip_suffix(words) else {
            continue;
        };
        let apart = before.trim_end().ends_with([',', '-', '–', '—', ':', '.', ';']) || words == "asap";
        if apart && before.ends_with(' ') {
            if let Some(priority) = priority(words) {
                found.priority.get_or_insert(priority);
            }
            text.truncate(before.len());
            return;
        }
    }
}

/// `after t1`, `depends on “Write the docs”`, `blocked by #2`: kept in the text until somebody knows what is meant.
fn waits(text: &str, found: &mut Attributes) {
    let lower = text.to_ascii_lowercase();
    for start in [
        "after ",
        "depends on ",
        "depending on ",
        "blocked by ",
        "blocked on ",
        "once ",
    ] {
        for (at, _) in lower.match_indices(start) {
            if found.after.len() >= WAITS {
                return;
            }
            if lower[..at].ends_with(|c: char| c.is_alphanumeric()) || at == 0 {
                continue;
            }
            let rest = &text[at + start.len()..];
            let end = rest.find([',', ';', ')', '.']).unwrap_or(rest.len());
            let mut words = rest[..end].trim();
            for tail in [
                " is done",
                " is finished",
                " are done",
                " lands",
                " is merged",
                " has landed",
            ] {
                words = words.strip_suffix(tail).unwrap_or(words);
            }
            if !words.is_empty() {
                let phrase = text[at..at + start.len() + end].to_owned();
                found.after.push(After {
                    words: words.to_owned(),
                    phrase,
                });
            }
        }
    }
}

/// White space and the punctuation that a cut leaves behind.
pub fn tidy(text: &str) -> String {
    let mut text = crate::text::clean::fold(text);
    for (hole, filled) in [
        (" ,", ","),
        (",,", ","),
        (", )", ")"),
        (",)", ")"),
        (" ()", ""),
        ("( )", ""),
        (" )", ")"),
    ] {
        text = text.replace(hole, filled);
    }
    let text = text.strip_suffix(" .").unwrap_or(&text);
    text.trim_start_matches(|c: char| c.is_whitespace() || ",;:–—-".contains(c))
        .trim_end_matches(|c: char| c.is_whitespace() || ",;:–—-".contains(c))
        .to_owned()
}

/// Whether a word can be a login (<https://docs.github.com/enterprise-cloud@latest/admin/managing-iam/iam-configuration-reference/username-considerations-for-external-authentication>).
pub fn is_login(word: &str) -> bool {
    !word.is_empty() && word.len() <= 39 && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn friday() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()
    }

    fn read(text: &str) -> (String, Attributes) {
        take(text, friday())
    }

    #[test]
    fn a_group_of_attributes_is_cut_whole() {
        let (text, found) = read("Add a rate limit (@bob, M, by Monday, high priority, label: security)");
        assert_eq!(text, "Add a rate limit");
        assert_eq!(found.assignee.as_deref(), Some("bob"));
        assert_eq!(found.estimate, Some(Estimate::M));
        assert_eq!(found.due, NaiveDate::from_ymd_opt(2026, 11, 23));
        assert_eq!(found.priority, Some(Priority::High));
        assert_eq!(found.labels, ["security"]);
    }

    #[test]
    fn remarks_in_brackets_stay() {
        for text in [
            "Fix the parser (see the log)",
            "Add a test (M, or so)",
            "Use f(x)",
            "Read [1]",
            "Close ( it",
            "Call f() twice",
            "Add .gitignore",
        ] {
            let (kept, found) = read(text);
            assert_eq!(found, Attributes::default(), "{text}");
            assert_eq!(kept, text);
        }
    }

    #[test]
    fn phrases_are_understood_in_the_sentence() {
        let (text, found) = read("Write the docs by 2026-12-01, est: S, priority: low");
        assert_eq!(text, "Write the docs");
        assert_eq!(
            (found.due, found.estimate, found.priority),
            (
                NaiveDate::from_ymd_opt(2026, 12, 1),
                Some(Estimate::S),
                Some(Priority::Low)
            )
        );
        assert_eq!(read("Fix the login ASAP").1.priority, Some(Priority::High));
        assert_eq!(read("Fix the login ASAP").0, "Fix the login");
        assert_eq!(read("Fix the high priority bug").1.priority, None);
        assert_eq!(read("Fix critical path").1.priority, None);
        let (text, found) = read("Run the demo on Monday");
        assert_eq!(
            (text.as_str(), found.due),
            ("Run the demo on Monday", NaiveDate::from_ymd_opt(2026, 11, 23))
        );
        assert_eq!(read("Sort by name").1.due, None);
        assert_eq!(read("standby Friday").1.due, None);
    }

    #[test]
    fn what_it_waits_for_is_kept_in_words() {
        assert_eq!(
            read("Deploy (after t1)").1.after,
            [After {
                words: "t1".into(),
                phrase: String::new()
            }]
        );
        let found = read("Deploy it after the runbook is done, please").1.after;
        assert_eq!(
            found,
            [After {
                words: "the runbook".into(),
                phrase: "after the runbook is done".into()
            }]
        );
        assert_eq!(read("After lunch we talk").1.after, []);
    }
}
