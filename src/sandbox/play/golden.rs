//! Texts as a script expects them, held against texts as they are.
//!
//! In an expected text
//!
//! - `{…}` stands for anything within its line, also for nothing;
//! - a line that is `…` and nothing else stands for any number of lines, also for none;
//! - `{time}` stands for a moment such as `2026-11-20 14:10 UTC`;
//! - `{name}`, with any other name of small letters, digits and `_`, stands for one word of letters, digits, `-` and
//!   `_`. What it stood for first it stands for ever after, and people can say it: `/approve {digest}`.
//!
//! All else is compared as it is, but for white space at the ends of lines, and lines that hold nothing but an HTML
//! comment, which nobody sees.

use std::collections::BTreeMap;

/// What the placeholders stand for.
pub(super) type Captures = BTreeMap<String, String>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Exactly(String),
    Anything,
    Moment,
    Named(String),
}

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Difference {
    Same(String),
    Missing(String),
    Unexpected(String),
}

/// The text as a reader sees it, line by line.
pub(super) fn visible(text: &str) -> Vec<&str> {
    let hidden = |line: &&str| {
        let line = line.trim();
        !(line.starts_with("<!--") && line.ends_with("-->"))
    };
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).filter(hidden).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
}

/// The text with its placeholders filled in, or the first name that stands for nothing yet.
pub(super) fn fill(text: &str, captures: &Captures) -> Result<String, String> {
    let mut out = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Exactly(text) => out.push_str(&text),
            Piece::Anything => out.push_str("{…}"),
            Piece::Moment => return Err("time".to_owned()),
            Piece::Named(name) => out.push_str(captures.get(&name).ok_or(name)?),
        }
    }
    Ok(out)
}

/// Whether the whole text is as expected; what names stood for is kept if it is.
pub(super) fn whole(expected: &str, found: &str, captures: &mut Captures) -> Result<(), Vec<Difference>> {
    let (expected, found) = (visible(expected), visible(found));
    match lines(&expected, &found, captures) {
        Some(kept) => {
            *captures = kept;
            Ok(())
        }
        None => Err(differences(&expected, &found, |wanted, line| {
            matched(&pieces(wanted), line, captures).is_some()
        })),
    }
}

/// Whether these lines stand in the text in this order, each on a line or a part of one; the first that does not is
/// the error.
pub(super) fn among(expected: &[String], found: &str, captures: &mut Captures) -> Result<(), String> {
    let found = visible(found);
    let mut rest = found.as_slice();
    for wanted in expected {
        let at = rest.iter().enumerate().find_map(|(at, line)| {
            let kept = part(wanted.trim(), line, captures)?;
            Some((at, kept))
        });
        let (at, kept) = at.ok_or_else(|| wanted.clone())?;
        *captures = kept;
        // The same line may hold the next one as well.
        rest = &rest[at..];
    }
    Ok(())
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        plain.push_str(before);
        let name = from[1..].split_once('}').map(|(name, _)| name);
        let placeholder = name.and_then(placeholder);
        let taken = match (placeholder, name) {
            (Some(piece), Some(name)) => {
                if !plain.is_empty() {
                    pieces.push(Piece::Exactly(std::mem::take(&mut plain)));
                }
                pieces.push(piece);
                name.len() + 2
            }
            _ => {
                plain.push('{');
                1
            }
        };
        rest = &from[taken..];
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Exactly(plain));
    }
    pieces
}

fn placeholder(name: &str) -> Option<Piece> {
    let named = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    match name {
        "…" => Some(Piece::Anything),
        "time" => Some(Piece::Moment),
        name if named => Some(Piece::Named(name.to_owned())),
        _ => None,
    }
}

fn lines(expected: &[&str], found: &[&str], captures: &Captures) -> Option<Captures> {
    match (expected, found) {
        ([], []) => Some(captures.clone()),
        (["…", later @ ..], _) => {
            lines(later, found, captures).or_else(|| lines(expected, found.split_first()?.1, captures))
        }
        ([first, later @ ..], [line, rest @ ..]) => lines(later, rest, &matched(&pieces(first), line, captures)?),
        _ => None,
    }
}

fn part(expected: &str, line: &str, captures: &Captures) -> Option<Captures> {
    let mut wanted = vec![Piece::Anything];
    wanted.extend(pieces(expected));
    wanted.push(Piece::Anything);
    matched(&wanted, line, captures)
}

/// Tries the pieces against the text from left to right, going back where a choice was wrong.
fn matched(pieces: &[Piece], text: &str, captures: &Captures) -> Option<Captures> {
    let Some((first, later)) = pieces.split_first() else {
        return text.is_empty().then(|| captures.clone());
    };
    match first {
        Piece::Exactly(wanted) => matched(later, text.strip_prefix(wanted.as_str())?, captures),
        Piece::Moment => matched(later, after_moment(text)?, captures),
        Piece::Anything => ends(text).find_map(|end| matched(later, &text[end..], captures)),
        Piece::Named(name) => match captures.get(name) {
            Some(known) => matched(later, text.strip_prefix(known.as_str())?, captures),
            None => {
                let word = text
                    .bytes()
                    .take_while(|b| b.is_ascii_alphanumeric() || *b == b'-' || *b == b'_')
                    .count();
                let mut kept = captures.clone();
                (1..=word).rev().find_map(|end| {
                    kept.insert(name.clone(), text[..end].to_owned());
                    matched(later, &text[end..], &kept)
                })
            }
        },
    }
}

/// Where a part of the text may end: after every character and before the first.
fn ends(text: &str) -> impl Iterator<Item = usize> {
    text.char_indices().map(|(at, _)| at).chain([text.len()])
}

fn after_moment(text: &str) -> Option<&str> {
    let shape = "0000-00-00 00:00 UTC";
    let moment = text.get(..shape.len())?;
    let fits = moment.bytes().zip(shape.bytes()).all(|(found, wanted)| match wanted {
        b'0' => found.is_ascii_digit(),
        _ => found == wanted,
    });
    fits.then(|| &text[shape.len()..])
}

/// The shortest way from what was expected to what was found, given when two lines count as the same.
pub(super) fn differences(expected: &[&str], found: &[&str], alike: impl Fn(&str, &str) -> bool) -> Vec<Difference> {
    let same = |a: usize, b: usize| alike(expected[a], found[b]);
    // common[a][b]: how many lines the rests from a and from b have in common.
    let mut common = vec![vec![0_usize; found.len() + 1]; expected.len() + 1];
    for a in (0..expected.len()).rev() {
        for b in (0..found.len()).rev() {
            common[a][b] = if same(a, b) {
                common[a + 1][b + 1] + 1
            } else {
                common[a + 1][b].max(common[a][b + 1])
            };
        }
    }
    let (mut a, mut b) = (0, 0);
    let mut out = Vec::new();
    while a < expected.len() || b < found.len() {
        if a < expected.len() && b < found.len() && same(a, b) {
            out.push(Difference::Same(found[b].to_owned()));
            (a, b) = (a + 1, b + 1);
        } else if a < expected.len() && (b == found.len() || common[a + 1][b] >= common[a][b + 1]) {
            out.push(Difference::Missing(expected[a].to_owned()));
            a += 1;
        } else {
            out.push(Difference::Unexpected(found[b].to_owned()));
            b += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(expected: &str, found: &str) -> bool {
        whole(expected, found, &mut Captures::new()).is_ok()
    }

    #[test]
    fn placeholders_stand_for_what_varies_and_for_nothing_else() {
        for (expected, found) in [
            ("a {…} c", "a b b c"),
            ("a{…}", "a"),
            ("since {time}.", "since 2026-11-20 14:10 UTC."),
            ("…", ""),
            ("a\n…\nz", "a\nz"),
            ("a\n…\nz", "a\nb\nc\nz"),
            ("{w} and {w}", "w1 and w1"),
            ("{\"tasks\": []}", "{\"tasks\": []}"),
            ("a", "a  \n\n<!-- countersign fx=abc -->\n"),
        ] {
            assert!(holds(expected, found), "{expected:?} should take {found:?}");
        }
        for (expected, found) in [
            ("a {…} c", "a b\nc"),
            ("{time}", "2026-11-20"),
            ("a\n…\nz", "a\nb"),
            ("{w} and {w}", "w1 and w2"),
            ("{w}", "two words"),
            ("{w}", ""),
            ("a", "a\nb"),
            ("a\nb", "a"),
        ] {
            assert!(!holds(expected, found), "{expected:?} should not take {found:?}");
        }
    }

    #[test]
    fn what_a_name_stood_for_can_be_said() {
        let mut captures = Captures::new();
        whole("Workflow `{workflow}`, {…}", "Workflow `w7f3a`, open", &mut captures).unwrap();
        assert_eq!(
            fill("/explain {workflow} {\"a\": 1}", &captures).unwrap(),
            "/explain w7f3a {\"a\": 1}"
        );
        assert_eq!(fill("{other}", &captures), Err("other".to_owned()));
        assert!(whole("{workflow}", "w0000", &mut captures).is_err());
    }

    #[test]
    fn lines_stand_in_order_and_may_share_one() {
        let text = "one two\nthree";
        let found = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|line| (*line).to_owned()).collect();
            among(&wanted, text, &mut Captures::new())
        };
        assert_eq!(found(&["one", "two", "three"]), Ok(()));
        assert_eq!(found(&["three", "one"]), Err("one".to_owned()));
        assert_eq!(found(&["one {…} three"]), Err("one {…} three".to_owned()));
    }

    #[test]
    fn a_difference_keeps_what_is_the_same() {
        use Difference::{Missing, Same, Unexpected};
        let found = whole("a\nb {…}\nc", "a\nb 1\nd", &mut Captures::new()).unwrap_err();
        assert_eq!(
            found,
            [
                Same("a".into()),
                Same("b 1".into()),
                Missing("c".into()),
                Unexpected("d".into())
            ]
        );
    }
}
