//! The rules provider: answers without a model, from a grammar that it states.
pub const FORMS: &str = "";
pub fn answer(_agent: &crate::agents::Agent, _inputs: &crate::agents::Inputs) -> Option<String> { None }
