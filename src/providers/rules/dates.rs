//! Days as people write them, relative to the day on which they wrote.

use chrono::{Datelike, Days, NaiveDate, Weekday};

/// A day at the start of `text`, and how many bytes name it.
pub fn day(text: &str, written: NaiveDate) -> Option<(NaiveDate, usize)> {
    let end = text.char_indices().nth(40).map_or(text.len(), |(end, _)| end);
    let text = &text[..end];
    iso(text)
        .or_else(|| named(text, written))
        .or_else(|| month(text, written))
}

fn iso(text: &str) -> Option<(NaiveDate, usize)> {
    let date = text.get(..10)?;
    let ends = !text[10..].starts_with(|c: char| c.is_ascii_alphanumeric());
    let digits = date.bytes().enumerate().all(|(at, byte)| {
        if at == 4 || at == 7 {
            byte == b'-'
        } else {
            byte.is_ascii_digit()
        }
    });
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    (ends && digits).then_some((date, 10))
}

/// The next such weekday after the day of writing: said on a Friday, "Friday" is a week later.
fn named(text: &str, written: NaiveDate) -> Option<(NaiveDate, usize)> {
    let lower = text.to_ascii_lowercase();
    let monday = written - Days::new(u64::from(written.weekday().num_days_from_monday()));
    for (phrase, date) in [
        ("today", written),
        ("tonight", written),
        ("eod", written),
        ("end of day", written),
        ("end of the day", written),
        ("tomorrow", written + Days::new(1)),
        ("end of next week", monday + Days::new(11)),
        ("end of the week", after(written, Weekday::Fri)),
        ("end of this week", after(written, Weekday::Fri)),
        ("end of week", after(written, Weekday::Fri)),
        ("eow", after(written, Weekday::Fri)),
        ("next week", monday + Days::new(11)),
    ] {
        if whole(&lower, phrase) {
            return Some((date, phrase.len()));
        }
    }
    let (next, skip) = match lower.strip_prefix("next ") {
        Some(rest) => (true, lower.len() - rest.len()),
        None => (
            false,
            lower.strip_prefix("this ").map_or(0, |rest| lower.len() - rest.len()),
        ),
    };
    let word: String = lower[skip..].chars().take_while(char::is_ascii_alphabetic).collect();
    let weekday = match word.as_str() {
        "monday" | "mon" => Weekday::Mon,
        "tuesday" | "tue" => Weekday::Tue,
        "wednesday" | "wed" => Weekday::Wed,
        "thursday" | "thu" => Weekday::Thu,
        "friday" | "fri" => Weekday::Fri,
        "saturday" | "sat" => Weekday::Sat,
        "sunday" | "sun" => Weekday::Sun,
        _ => return None,
    };
    let date = if next {
        monday + Days::new(7 + u64::from(weekday.num_days_from_monday()))
    } else {
        after(written, weekday)
    };
    Some((date, skip + word.len()))
}

fn after(written: NaiveDate, weekday: Weekday) -> NaiveDate {
    let ahead = (weekday.num_days_from_monday() + 7 - written.weekday().num_days_from_monday()) % 7;
    written + Days::new(u64::from(if ahead == 0 { 7 } else { ahead }))
}

fn whole(lower: &str, phrase: &str) -> bool {
    lower
        .strip_prefix(phrase)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
}

/// `1 December`, `Dec 1st`, `December 1, 2027`: without a year, the first such day from the day of writing on.
fn month(text: &str, written: NaiveDate) -> Option<(NaiveDate, usize)> {
    let words: Vec<(usize, &str)> = words(text).take(3).collect();
    let (first, second) = (words.first()?.1, words.get(1)?);
    let (month, day) = match (month_number(first), month_number(second.1)) {
        (Some(month), _) => (month, ordinal(second.1)?),
        (None, Some(month)) => (month, ordinal(first)?),
        _ => return None,
    };
    let mut end = second.0 + second.1.len();
    let year = words.get(2).filter(|(_, word)| word.len() == 4).and_then(|(at, word)| {
        let year: i32 = word.parse().ok().filter(|year| (2000..2200).contains(year))?;
        end = at + word.len();
        Some(year)
    });
    let date = match year {
        Some(year) => NaiveDate::from_ymd_opt(year, month, day)?,
        None => [written.year(), written.year() + 1]
            .into_iter()
            .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
            .find(|date| *date >= written)?,
    };
    Some((date, end))
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| (word.as_ptr().addr() - text.as_ptr().addr(), word))
}

fn month_number(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.to_ascii_lowercase();
    let number = MONTHS
        .iter()
        .position(|month| *month == word || (word.len() >= 3 && *month != "may" && month.starts_with(&word)))?;
    u32::try_from(number + 1).ok()
}

fn ordinal(word: &str) -> Option<u32> {
    let word = word.to_ascii_lowercase();
    let digits = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|end| word.strip_suffix(end))
        .unwrap_or(&word);
    digits.parse().ok().filter(|day| (1..=31).contains(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_the_day_of_writing() {
        // A Friday.
        let written = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
        for (text, date, length) in [
            ("2026-12-01.", "2026-12-01", 10),
            ("Friday", "2026-11-27", 6),
            ("monday and", "2026-11-23", 6),
            ("next Friday", "2026-11-27", 11),
            ("next monday", "2026-11-23", 11),
            ("this Sunday", "2026-11-22", 11),
            ("tomorrow", "2026-11-21", 8),
            ("EOW", "2026-11-27", 3),
            ("end of next week", "2026-11-27", 16),
            ("Dec 1st", "2026-12-01", 7),
            ("1 December", "2026-12-01", 10),
            ("March 3", "2027-03-03", 7),
            ("December 1, 2027", "2027-12-01", 16),
            ("Feb 29", "", 0),
            ("2026-02-30", "", 0),
            ("2026-12-011", "", 0),
            ("Fridays", "", 0),
            ("monitor", "", 0),
            ("the team", "", 0),
            ("May be", "", 0),
            ("", "", 0),
            ("é-é-é-é-é-", "", 0),
        ] {
            let expected = date.parse().ok().map(|date: NaiveDate| (date, length));
            assert_eq!(day(text, written), expected, "{text}");
        }
    }
}
