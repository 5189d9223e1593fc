//! What the benches share: arguments, databases on the disk, figures.
#![allow(dead_code, reason = "each bench uses a part of it")]

pub mod ground;

use std::time::Duration;

/// Whatever ends a bench.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Which parts were asked for: `cargo bench --bench steps -- sqlite rates`. Without a name, all.
pub struct Parts(Vec<String>);

impl Parts {
    /// The words behind `--`, of which each must be one of these.
    pub fn of(known: &[&str]) -> Result<Self, Failure> {
        // Cargo adds `--bench` itself.
        let asked: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
        match asked.iter().find(|word| !known.contains(&word.as_str())) {
            Some(unknown) => Err(format!("there is no part {unknown}: name some of {}", known.join(", ")).into()),
            None => Ok(Self(asked)),
        }
    }

    /// Whether this one was named.
    pub fn named(&self, part: &str) -> bool {
        self.0.iter().any(|word| word == part)
    }

    /// Those of a group that were asked for; all, when none of the group was named.
    pub fn among<T: Copy>(&self, group: &[(&str, T)]) -> Vec<T> {
        let named: Vec<T> = group
            .iter()
            .filter(|(name, _)| self.named(name))
            .map(|(_, of)| *of)
            .collect();
        match named.is_empty() {
            true => group.iter().map(|(_, of)| *of).collect(),
            false => named,
        }
    }
}

/// The one in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The moment by which this share of them was over.
pub fn within(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    times.get((last as f64 * share) as usize).copied().unwrap_or_default()
}

/// In milliseconds, as tables show it.
pub fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1_000.0)
}

/// Prints a line of a Markdown table.
pub fn line<const N: usize>(cells: [&str; N]) {
    println!("| {} |", cells.join(" | "));
}

/// Prints the head of a Markdown table.
pub fn head<const N: usize>(cells: [&str; N]) {
    line(cells);
    line(cells.map(|_| "---"));
}
