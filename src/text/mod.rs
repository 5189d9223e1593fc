//! Text of people and models: what a reader sees of it, what is left when all that is hidden is gone, how a line is
//! split into arguments, and how it is repeated on GitHub so that it does nothing there.
//!
//! Pure and total, and below every room that reads or writes text: none of them is known here.

pub mod arguments;
pub mod clean;
pub mod diff;
pub mod harmless;
pub mod paths;
pub mod visible;

/// "2 links, 1 mention and 1 command": counts that are not zero, each with its singular and plural.
fn counted(kinds: &[(usize, &str, &str)]) -> String {
    let mut words: Vec<String> = kinds
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
        .collect();
    match words.pop() {
        None => String::new(),
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} and {last}", words.join(", ")),
    }
}
