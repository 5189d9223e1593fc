//! The boxes of a card: how they are written, and what a change of them says.

/// What distinguishes two bodies of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TickDiff {
    /// Nothing.
    Same,
    /// Nothing but boxes: these keys changed, to ticked or not, in the order of the card.
    Ticked(Vec<(String, bool)>),
    /// Something else, too.
    Other,
}

/// The line of a task with a box. `text` is Markdown of one line.
///
/// A key of other characters than letters, digits, `-` and `_` gets no box, because no tick could be traced to it.
pub(super) fn box_line(key: &str, on: bool, text: &str) -> String {
    if is_key(key) {
        let mark = if on { 'x' } else { ' ' };
        format!("- [{mark}] **{key}** {text}")
    } else {
        format!("- {text}")
    }
}

pub(super) fn is_key(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// A line of a card's task list, taken apart.
struct Boxed<'a> {
    on: bool,
    key: &'a str,
    /// All after the box.
    text: &'a str,
}

/// Reads a line that [`box_line`] wrote. Nothing else on a card has its form: repeated text stands further right or is
/// escaped.
fn boxed(line: &str) -> Option<Boxed<'_>> {
    let rest = line.strip_prefix("- [")?;
    let on = match rest.chars().next()? {
        ' ' => false,
        'x' | 'X' => true,
        _ => return None,
    };
    let text = rest[1..].strip_prefix("] ")?;
    let (key, _) = text.strip_prefix("**")?.split_once("**")?;
    is_key(key).then_some(Boxed { on, key, text })
}

/// What changed between two bodies of the same card. Line ends and white space at the end do not count: GitHub's page
/// sends `\r\n` where an App sent `\n`.
pub fn ticks(before: &str, after: &str) -> TickDiff {
    let (before, after) = (lines(before), lines(after));
    if before.len() != after.len() {
        return TickDiff::Other;
    }
    let mut changed = Vec::new();
    for (old, new) in before.iter().zip(&after) {
        if old == new {
            continue;
        }
        match (boxed(old), boxed(new)) {
            (Some(old), Some(new)) if old.text == new.text => {
                if old.on != new.on {
                    changed.push((new.key.to_owned(), new.on));
                }
            }
            _ => return TickDiff::Other,
        }
    }
    if changed.is_empty() {
        TickDiff::Same
    } else {
        TickDiff::Ticked(changed)
    }
}

/// A card's body as its hash is taken: no box ticked, one kind of line end, no white space at the end.
pub fn without_boxes(body: &str) -> String {
    let lines: Vec<String> = lines(body)
        .into_iter()
        .map(|line| match boxed(line) {
            Some(boxed) => format!("- [ ] {}", boxed.text),
            None => line.to_owned(),
        })
        .collect();
    lines.join("\n")
}

fn lines(body: &str) -> Vec<&str> {
    body.trim_end()
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "### Card\n\n- [x] **t1** One\n- [x] **t2** Two\n  > - [ ] not a box of ours\n\nEnd\n";

    fn changed(from: &str, to: &str) -> TickDiff {
        let after = CARD.replace(from, to);
        assert_ne!(after, CARD, "the test changes something");
        ticks(CARD, &after)
    }

    #[test]
    fn ticks_are_found_by_key() {
        assert_eq!(
            changed("[x] **t2**", "[ ] **t2**"),
            TickDiff::Ticked(vec![("t2".into(), false)])
        );
        let both = CARD.replace("[x]", "[ ]");
        assert_eq!(
            ticks(&both, CARD),
            TickDiff::Ticked(vec![("t1".into(), true), ("t2".into(), true)])
        );
    }

    #[test]
    fn line_ends_and_capital_marks_are_no_change() {
        assert_eq!(changed("\n", "\r\n"), TickDiff::Same);
        assert_eq!(changed("[x]", "[X]"), TickDiff::Same);
        assert_eq!(ticks(CARD, CARD.trim_end()), TickDiff::Same);
        let web = CARD.replace("[x] **t1**", "[ ] **t1**").replace('\n', "\r\n");
        assert_eq!(ticks(CARD, &web), TickDiff::Ticked(vec![("t1".into(), false)]));
    }

    #[test]
    fn anything_else_is_named_other() {
        for (from, to) in [
            ("One", "Another"),
            ("**t1**", "**t9**"),
            ("not a box", "a box"),
            ("> - [ ]", "> - [x]"),
            ("End", "End\nMore"),
            ("- [x] **t1** One\n", ""),
            (
                "- [x] **t1** One\n- [x] **t2** Two",
                "- [x] **t2** Two\n- [x] **t1** One",
            ),
        ] {
            assert_eq!(changed(from, to), TickDiff::Other, "{from} → {to}");
        }
        let ticked_and_more = CARD.replace("[x] **t1**", "[ ] **t1**").replace("End", "The end");
        assert_eq!(ticks(CARD, &ticked_and_more), TickDiff::Other);
    }

    #[test]
    fn the_hash_does_not_see_boxes_and_sees_all_else() {
        let unticked = CARD.replace("[x]", "[ ]").replace('\n', "\r\n");
        assert_eq!(without_boxes(CARD), without_boxes(&unticked));
        assert_ne!(without_boxes(CARD), without_boxes(&CARD.replace("One", "Other")));
        assert_ne!(without_boxes(CARD), without_boxes(&CARD.replace("> - [ ]", "> - [x]")));
    }

    #[test]
    fn a_key_that_could_not_be_traced_gets_no_box() {
        assert_eq!(box_line("t1", true, "One"), "- [x] **t1** One");
        assert_eq!(box_line("t**1", true, "One"), "- One");
    }
}
