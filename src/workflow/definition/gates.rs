//! A gate: what must hold before a workflow goes on.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{OnExpiry, PeopleGate};
use crate::workflow::gate::Tightening;
use crate::workflow::judging::{AiGate, ChecksGate};
use crate::workflow::right::Right;

/// What must hold before a workflow goes on: all that it names. Nothing, where it names nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gate {
    /// Checks that the host verifies; looked at first.
    pub checks: Option<ChecksGate>,
    /// A model says yes; asked once the checks hold.
    pub ai: Option<AiGate>,
    /// People with the right approve exactly what was shown.
    pub people: Option<PeopleGate>,
}

/// Whoever can send back what waits at a gate that people do not open: anybody who may write. They approve only what an
/// approver rejected, where the definition lets them overrule it.
static STAND_IN: PeopleGate = PeopleGate {
    right: Right::Write,
    quorum: 1,
    of: Vec::new(),
    also: Vec::new(),
    code_owners: false,
    exclude: BTreeSet::new(),
    expires_after_hours: None,
    on_expiry: OnExpiry::Remind,
};

impl Gate {
    /// Whether nothing must hold.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The people who can open it.
    pub fn people(&self) -> Option<&PeopleGate> {
        self.people.as_ref()
    }

    /// The people who can act on what waits at it: those who open it, or whoever may send it back.
    pub fn asked(&self) -> Option<&PeopleGate> {
        match self.is_none() {
            true => None,
            false => Some(self.people.as_ref().unwrap_or(&STAND_IN)),
        }
    }

    /// Asks for more. Where nothing must hold, nothing is added: there is nobody whose word would be checked.
    pub fn tighten(&mut self, more: &Tightening) {
        if more.people && !self.is_none() && self.people.is_none() {
            self.people = Some(STAND_IN.clone());
        }
        if let Some(people) = &mut self.people {
            people.tighten(more);
        }
    }

    /// Whether people may approve what its approver rejected.
    pub fn may_be_overruled(&self) -> bool {
        self.ai.as_ref().is_some_and(|ai| ai.overrule)
    }
}

/// As a file writes a gate with parts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    #[serde(default)]
    checks: Option<ChecksGate>,
    #[serde(default)]
    ai: Option<AiGate>,
    #[serde(default)]
    people: Option<PeopleGate>,
}

/// The words that a gate may be.
const WORDS: &str = "`none` (or `skip`), `people`, `ai`, `ai+people`";

struct OfGate;

impl<'de> Visitor<'de> for OfGate {
    type Value = Gate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{WORDS}, or `checks`, `ai` and `people` with what is asked of them")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Gate, E> {
        let (ai, people) = (AiGate::default, || STAND_IN.clone());
        match word {
            "none" | "skip" => Ok(Gate::default()),
            "people" => Ok(Gate {
                people: Some(people()),
                ..Gate::default()
            }),
            "ai" => Ok(Gate {
                ai: Some(ai()),
                ..Gate::default()
            }),
            "ai+people" => Ok(Gate {
                ai: Some(ai()),
                people: Some(people()),
                ..Gate::default()
            }),
            _ => Err(E::custom(format!(
                "`{word}` is no gate; there are {WORDS}, and `checks: …`"
            ))),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Gate, A::Error> {
        let Parts { checks, ai, people } = Parts::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Gate { checks, ai, people })
    }
}

impl<'de> Deserialize<'de> for Gate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfGate)
    }
}

impl Serialize for Gate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_none() {
            return serializer.serialize_str("none");
        }
        let mut map = serializer.serialize_map(None)?;
        if let Some(checks) = &self.checks {
            map.serialize_entry("checks", checks)?;
        }
        if let Some(ai) = &self.ai {
            map.serialize_entry("ai", ai)?;
        }
        if let Some(people) = &self.people {
            map.serialize_entry("people", people)?;
        }
        map.end()
    }
}

/// Written by hand: what a derive makes of a word or a map tells whoever mistyped a key of it nothing.
impl JsonSchema for Gate {
    fn schema_name() -> Cow<'static, str> {
        "Gate".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "What must hold before a workflow goes on: `none` (also `skip`), `people`, `ai`, `ai+people`; or \
                `checks`, `ai` and `people` with what is asked of them, of which all that stand here must hold.",
            "type": ["string", "object"],
            "pattern": "^(none|skip|people|ai|ai[+]people)$",
            "examples": ["none", "skip", "people", "ai", "ai+people"],
            "$comment": "there are `none` (or `skip`), `people`, `ai`, `ai+people`, and `checks: {}`, `ai: {}` and `people: {}`, \
                whom nothing replaces in front of what leaves",
            "properties": {
                "checks": generator.subschema_for::<ChecksGate>(),
                "ai": generator.subschema_for::<AiGate>(),
                "people": generator.subschema_for::<crate::workflow::gate::GateFile>(),
            },
            "additionalProperties": false,
            "minProperties": 1,
        })
    }
}
