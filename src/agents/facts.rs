//! Facts of an artifact that the host finds out by itself, whoever made it and whatever they say of it.

use std::borrow::Cow;

use serde_json::Value;

use super::made::{self, files};
use super::prompt::PROMPT_SCHEMA;
use super::{AGENTS, Agent, answer, scan, strings};

/// What is wrong with a path that an artifact writes, if anything is; also where it writes none.
pub fn unsafe_path(artifact: &Value) -> Option<String> {
    let writes = files::of(artifact);
    if writes.is_empty() {
        return Some("without any path".to_owned());
    }
    let problems = files::check(&writes).err()?;
    problems.first().map(ToString::to_string)
}

/// Why an artifact is not of its schema, if it is not.
pub fn misshapen(schema: &str, artifact: &Value) -> Option<String> {
    if schema == PROMPT_SCHEMA {
        let read = serde_json::from_value::<super::Prompt>(artifact.clone());
        return read.err().map(|error| error.to_string());
    }
    let own = AGENTS.iter().find(|agent| agent.schema_name == schema);
    if own.is_some() {
        // What the program's own agents keep is the host's record, not the answer that the schema is for.
        return None;
    }
    let made: Option<Agent> = made::agent("of the host", Cow::Borrowed(""), schema);
    let Some(agent) = made else {
        return Some(format!("of no schema that is known here: {schema}"));
    };
    let problems = answer::validate(&agent, artifact).err()?;
    problems.first().map(ToString::to_string)
}

/// What an artifact holds that must not be repeated, by its kind.
pub fn secret_in(artifact: &Value) -> Option<String> {
    let mut texts = Vec::new();
    strings(artifact, &[], &mut texts);
    let found = texts.iter().find_map(|text| scan::scan(text))?;
    Some(format!("not met: it holds {found}"))
}

/// The paths that an artifact writes.
pub fn touched(artifact: &Value) -> Vec<String> {
    files::of(artifact).iter().map(|file| file.path.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_host_finds_out_by_itself() {
        let files = |path: &str, content: &str| json!({"summary": "s", "writes": [{"path": path, "content": content}], "unfinished": []});
        let good = files("src/a.rs", "fn a() {}");
        assert_eq!(
            (unsafe_path(&good), misshapen("files.v1", &good), secret_in(&good)),
            (None, None, None)
        );
        assert_eq!(touched(&good), ["src/a.rs"]);
        assert!(unsafe_path(&files("../a", "")).is_some());
        assert!(
            unsafe_path(&json!({"summary": "s"}))
                .unwrap()
                .contains("without any path")
        );
        assert!(misshapen("files.v1", &json!({"summary": 1})).is_some());
        assert!(misshapen("unheard.v1", &good).unwrap().contains("unheard.v1"));
        let held = secret_in(&files("src/a.rs", "password=hunter2")).unwrap();
        assert!(held.contains("password") && !held.contains("hunter2"), "{held}");
    }
}
