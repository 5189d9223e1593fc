//! What differs between two texts, line by line.

/// Lines around a change that are shown with it.
const AROUND: usize = 2;
/// Pairs of lines that are compared at most: beyond that it would take too long and nobody would read it.
const MOST_PAIRS: usize = 4_000_000;

/// The lines that two texts do not share, as `-` of the first and `+` of the second, with a few that they share around
/// them and `…` where more of those are left out. Empty for the same texts; `None` where they are too long to compare.
pub fn lines(first: &str, second: &str) -> Option<Vec<String>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (first.lines().collect(), second.lines().collect());
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let rest = old.len().min(new.len()) - same;
    let ends = old.iter().rev().zip(new.iter().rev()).take(rest);
    let tail = ends.take_while(|(old, new)| old == new).count();
    let (middle_old, middle_new) = (&old[same..old.len() - tail], &new[same..new.len() - tail]);
    if middle_old.len().saturating_mul(middle_new.len()) > MOST_PAIRS {
        return None;
    }
    let mut all: Vec<(char, &str)> = old[..same].iter().map(|line| (' ', *line)).collect();
    all.extend(changed(middle_old, middle_new));
    all.extend(old[old.len() - tail..].iter().map(|line| (' ', *line)));
    Some(shortened(&all))
}

/// The longest common subsequence of lines, told as what is taken away and what is put in.
fn changed<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    let width = new.len() + 1;
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i * width + j] = match old[i] == new[j] {
                true => longest[(i + 1) * width + j + 1] + 1,
                false => longest[(i + 1) * width + j].max(longest[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j, mut told) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            told.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1]) {
            told.push(('-', old[i]));
            i += 1;
        } else {
            told.push(('+', new[j]));
            j += 1;
        }
    }
    told
}

fn shortened(all: &[(char, &str)]) -> Vec<String> {
    let near = |at: usize| {
        let around = &all[at.saturating_sub(AROUND)..(at + AROUND + 1).min(all.len())];
        around.iter().any(|(sign, _)| *sign != ' ')
    };
    let mut shown = Vec::new();
    let mut left_out = false;
    for (at, (sign, line)) in all.iter().enumerate() {
        if near(at) {
            if std::mem::take(&mut left_out) {
                shown.push("…".to_owned());
            }
            shown.push(format!("{sign} {line}").trim_end().to_owned());
        } else {
            left_out = true;
        }
    }
    if left_out && !shown.is_empty() {
        shown.push("…".to_owned());
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_differs_is_shown_with_what_stands_around_it() {
        let first = "a\nb\nc\nd\ne\nf\ng";
        let second = "a\nb\nc\nd\nE\nf\ng\nh";
        assert_eq!(
            lines(first, second).unwrap(),
            ["…", "  c", "  d", "- e", "+ E", "  f", "  g", "+ h"]
        );
        assert_eq!(lines(first, first).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn texts_that_are_too_long_are_not_compared() {
        let long = |of: &str| vec![of; 3000].join("\n");
        assert_eq!(lines(&long("a"), &long("b")), None);
        assert!(lines(&long("a"), &format!("{}\nb", long("a"))).is_some());
    }

    proptest! {
        #[test]
        fn both_texts_can_be_told_from_it(
            first in prop::collection::vec("[ab]", 0..8),
            second in prop::collection::vec("[ab]", 0..8),
        ) {
            let (old, new): (Vec<&str>, Vec<&str>) =
                (first.iter().map(String::as_str).collect(), second.iter().map(String::as_str).collect());
            let told = changed(&old, &new);
            let of = |without: char| told.iter().filter(|(sign, _)| *sign != without).map(|(_, line)| *line).collect::<Vec<_>>();
            prop_assert_eq!(of('+'), old);
            prop_assert_eq!(of('-'), new);
        }
    }
}
