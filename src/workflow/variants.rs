//! Variants of a phase: the same work done several times side by side, each in its own way, and the choice among them.
//!
//! A definition names the variants in one phase. Before a workflow begins that phase is spread out into one for each, so
//! that everything else knows phases only. Another phase `chooses`: it becomes ready once every variant has ended and at
//! least one was made, compares them, and what a person chooses is its output.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::definition::{Definition, Phase};
use super::ids::{Digest, PhaseId};
use super::state::{PhaseState, PhaseStatus, State, Timestamp, Why};

/// The fewest variants of a phase: with one there is nothing to choose.
pub const FEWEST: usize = 2;
/// The most variants of a phase: more than people compare.
pub const MOST: usize = 8;

/// What people call a variant: `A` to `H`, in the order of the definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Letter(u8);

impl Letter {
    /// The letters of so many variants.
    pub fn first(count: usize) -> impl Iterator<Item = Self> {
        (b'A'..=b'Z').take(count).map(Self)
    }

    /// The letter of this word, in either case; `None` for anything but one letter.
    pub fn read(word: &str) -> Option<Self> {
        match word.as_bytes() {
            [letter] if letter.is_ascii_alphabetic() => Some(Self(letter.to_ascii_uppercase())),
            _ => None,
        }
    }
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", char::from(self.0))
    }
}

impl std::str::FromStr for Letter {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::read(word).ok_or_else(|| format!("{word:?} is no variant's letter, such as B"))
    }
}

impl TryFrom<String> for Letter {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        word.parse()
    }
}

impl From<Letter> for String {
    fn from(letter: Letter) -> Self {
        letter.to_string()
    }
}

/// The variants of a phase, as its definition names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Variants {
    /// So many, all asked the same.
    Count(u32),
    /// One for each of these.
    Listed(Vec<Spec>),
}

/// How one variant differs from the others.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// What people call it beside its letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub title: Option<String>,
    /// What it is told beyond the prompt that all share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub instruction: Option<String>,
    /// The role in whose name its agent speaks, where that is not the phase's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub role: Option<String>,
    /// Where its text comes from, where that is not the phase's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub provider: Option<String>,
}

impl Variants {
    /// One specification for each.
    pub fn specs(&self) -> Vec<Spec> {
        match self {
            Self::Count(count) => vec![Spec::default(); usize::try_from(*count).unwrap_or(usize::MAX).min(MOST + 1)],
            Self::Listed(specs) => specs.clone(),
        }
    }
}

/// Written by hand: what the derive makes of an untagged enum tells whoever mistyped a key nothing.
impl JsonSchema for Variants {
    fn schema_name() -> Cow<'static, str> {
        "Variants".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "How many variants there are, or a list that says how each differs: from 2 to 8.",
            "type": ["integer", "array"],
            "minimum": FEWEST,
            "maximum": MOST,
            "items": generator.subschema_for::<Spec>(),
            "minItems": FEWEST,
            "maxItems": MOST,
        })
    }
}

/// One thing that variants are compared by. A rule gives a score from 0 to 10; where there is none, only a model can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// What it is, for people.
    pub title: String,
    /// Words or phrases that a variant should hold, in either case: the score is the share that it does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<String>,
    /// How many words a variant should have at most: a longer one loses in proportion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32")]
    pub most_words: Option<u32>,
}

/// What a phase of a definition that was made ready to run is a variant of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// The phase of the definition that named it.
    pub of: PhaseId,
    /// What people call it.
    pub letter: Letter,
    /// What it is called beside its letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is told beyond the prompt that all share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<String>,
}

/// The id of one variant: `draft-b`.
pub fn variant_id(of: &PhaseId, letter: Letter) -> PhaseId {
    let letter = letter.to_string().to_ascii_lowercase();
    PhaseId::from(format!("{of}-{letter}").as_str())
}

impl Definition {
    /// The definition as it runs: each phase with variants is one phase for each of them.
    pub fn expanded(&self) -> Self {
        let ids = |id: &PhaseId| match self.phase(id).and_then(|phase| phase.variants.as_ref()) {
            Some(variants) => Letter::first(variants.specs().len())
                .map(|letter| variant_id(id, letter))
                .collect(),
            None => vec![id.clone()],
        };
        let spread = |list: &[PhaseId]| list.iter().flat_map(ids).collect::<Vec<_>>();
        let phases = self.phases.iter().flat_map(|phase| {
            let mut common = Phase {
                needs: spread(&phase.needs),
                inputs: spread(&phase.inputs),
                ..phase.clone()
            };
            let chosen = phase.chooses.as_ref();
            if let Some(chosen) = chosen.filter(|chosen| self.phase(chosen).is_some()) {
                let variants = ids(chosen);
                common.needs.retain(|need| !variants.contains(need));
                common.needs.extend(variants.iter().cloned());
                common.inputs.retain(|input| !variants.contains(input));
                common.inputs.splice(0..0, variants);
            }
            match common.variants.take() {
                Some(variants) => spread_out(&common, variants.specs()),
                None => vec![common],
            }
        });
        Self {
            phases: phases.collect(),
            ..self.clone()
        }
    }

    /// The phases that are variants of this one, in order.
    pub fn variants_of<'a>(&'a self, of: &'a PhaseId) -> impl Iterator<Item = (&'a Phase, &'a Variant)> {
        let variants = self
            .phases
            .iter()
            .filter_map(|phase| Some((phase, phase.variant.as_ref()?)));
        variants.filter(move |(_, variant)| variant.of == *of)
    }

    /// The phase that chooses among the variants of this one.
    pub fn chooser_of(&self, of: &PhaseId) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.chooses.as_ref() == Some(of))
    }
}

fn spread_out(phase: &Phase, specs: Vec<Spec>) -> Vec<Phase> {
    let letters = Letter::first(specs.len());
    let one = |(letter, spec): (Letter, Spec)| Phase {
        id: variant_id(&phase.id, letter),
        title: match &spec.title {
            Some(title) => format!("{} {letter}: {title}", phase.title),
            None => format!("{} {letter}", phase.title),
        },
        role: spec.role.or_else(|| phase.role.clone()),
        provider: spec.provider.or_else(|| phase.provider.clone()),
        variant: Some(Variant {
            of: phase.id.clone(),
            letter,
            title: spec.title,
            instruction: spec.instruction,
        }),
        ..phase.clone()
    };
    letters.zip(specs).map(one).collect()
}

/// How the variants stand that a phase chooses among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// One has not ended yet.
    AtWork,
    /// All have ended, and at least one was made.
    Made,
    /// All have ended, and none was made.
    AllFailed,
}

impl PhaseState {
    /// Whether a variant was made, so that it can be chosen.
    pub fn was_made(&self) -> bool {
        self.status == PhaseStatus::Completed && self.output.is_some()
    }

    /// Whether a variant ended without anything that could be chosen. One that waits for a person because that is its
    /// provider is at work; one whose provider gave nothing of use has ended, until somebody tries it again.
    pub fn gave_up(&self) -> bool {
        match self.status {
            PhaseStatus::Error | PhaseStatus::Rejected => true,
            PhaseStatus::WaitingForHuman => self.why != Some(Why::ManualProvider),
            PhaseStatus::Completed => self.output.is_none(),
            _ => false,
        }
    }
}

impl State {
    /// How the variants stand that a phase chooses among.
    pub(super) fn variants_stand(&self, of: &PhaseId) -> Standing {
        let all = || self.definition.variants_of(of).map(|(phase, _)| self.at(&phase.id));
        match (
            all().all(|at| at.was_made() || at.gave_up()),
            all().any(PhaseState::was_made),
        ) {
            (false, _) => Standing::AtWork,
            (true, true) => Standing::Made,
            (true, false) => Standing::AllFailed,
        }
    }

    /// Whether a phase is a variant among which somebody chose: whatever becomes of it, nobody waits for it.
    pub fn is_passed_over(&self, phase: &PhaseId) -> bool {
        let variant = self.definition.phase(phase).and_then(|phase| phase.variant.as_ref());
        let chooser = variant.and_then(|variant| self.definition.chooser_of(&variant.of));
        chooser.is_some_and(|chooser| self.at(&chooser.id).status == PhaseStatus::Completed)
    }

    /// Whether a phase is a variant whose choice stands at one of these: where the choice stands is where they all do.
    pub fn is_compared_at(&self, phase: &PhaseId, statuses: &[PhaseStatus]) -> bool {
        let variant = self.definition.phase(phase).and_then(|phase| phase.variant.as_ref());
        let chooser = variant.and_then(|variant| self.definition.chooser_of(&variant.of));
        chooser.is_some_and(|chooser| statuses.contains(&self.at(&chooser.id).status))
    }

    /// The variants that can be chosen at a phase, each with what it made.
    pub fn choices(&self, chooser: &PhaseId) -> Vec<(Letter, Digest)> {
        let of = self.definition.phase(chooser).and_then(|phase| phase.chooses.as_ref());
        let made = |(phase, variant): (&Phase, &Variant)| {
            let at = self.at(&phase.id);
            Some((variant.letter, at.output.filter(|_| at.was_made())?))
        };
        of.map(|of| self.definition.variants_of(of).filter_map(made).collect())
            .unwrap_or_default()
    }

    /// The letter of the variant that was chosen at a phase.
    pub fn chosen(&self, chooser: &PhaseId) -> Option<Letter> {
        self.at(chooser).approval.as_ref().and_then(|approval| approval.choice)
    }

    /// A variant that is made anew makes the comparison void in which it stood: there will be another.
    pub(super) fn void_comparison_of(&mut self, variant: &PhaseId, at: Timestamp) {
        let of = self.definition.phase(variant).and_then(|phase| phase.variant.as_ref());
        let chooser = of.and_then(|variant| self.definition.chooser_of(&variant.of));
        let Some(chooser) = chooser.map(|phase| phase.id.clone()) else {
            return;
        };
        let Some(phase) = self.phases.get_mut(&chooser) else {
            return;
        };
        if !matches!(phase.status, PhaseStatus::Blocked | PhaseStatus::Completed) {
            phase.retire_pending();
            phase.approval = None;
            phase.why = None;
            phase.reminders = 0;
            phase.enter(PhaseStatus::Blocked, at);
        }
    }
}
