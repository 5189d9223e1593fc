//! The dialect of Gemini's generateContent (<https://ai.google.dev/api/generate-content>).

use serde_json::{Value, json};

use super::{Completion, Failure, Finish, Question, TOOL_PURPOSE, Turn, count, failure, plain_name, text};
use crate::config::{Endpoint, StructuredOutput};
use crate::workflow::budget::Usage;

/// The path's segments. A model that names its collection (`tunedModels/x`) keeps it.
pub(super) fn path(model: &str) -> Vec<String> {
    let call = format!("{model}:generateContent");
    let version = "v1beta".to_owned();
    match call.split_once('/') {
        Some((collection, call)) => vec![version, collection.to_owned(), call.to_owned()],
        None => vec![version, "models".to_owned(), call],
    }
}

pub(super) fn body(endpoint: &Endpoint, question: &Question<'_>) -> Value {
    let turns = question.turns.iter().map(|turn| match turn {
        Turn::User(text) => json!({ "role": "user", "parts": [{ "text": text }] }),
        Turn::Assistant(text) => json!({ "role": "model", "parts": [{ "text": text }] }),
    });
    let mut body = json!({
        "contents": turns.collect::<Vec<_>>(),
        "generationConfig": { "maxOutputTokens": endpoint.max_output_tokens },
    });
    if !question.system.is_empty() {
        body["systemInstruction"] = json!({ "parts": [{ "text": question.system }] });
    }
    let config = &mut body["generationConfig"];
    match endpoint.structured_output {
        StructuredOutput::Schema => {
            config["responseMimeType"] = json!("application/json");
            config["responseJsonSchema"] = question.schema.clone();
        }
        StructuredOutput::Object => config["responseMimeType"] = json!("application/json"),
        StructuredOutput::Tool => {
            let name = plain_name(question.schema_name);
            body["tools"] = json!([{ "functionDeclarations": [
                { "name": name, "description": TOOL_PURPOSE, "parametersJsonSchema": question.schema },
            ] }]);
            body["toolConfig"] = json!({ "functionCallingConfig": { "mode": "ANY", "allowedFunctionNames": [name] } });
        }
        StructuredOutput::Prompt => {}
    }
    body
}

pub(super) fn read(mode: StructuredOutput, answer: &Value) -> Result<Completion, Failure> {
    let blocked = text(answer, "/promptFeedback/blockReason");
    let candidate = answer.pointer("/candidates/0");
    if candidate.is_none() && blocked.is_none() {
        return Err(failure::another_shape("`candidates`"));
    }
    let parts = candidate
        .and_then(|candidate| candidate.pointer("/content/parts")?.as_array())
        .map_or(&[][..], Vec::as_slice);
    let written: String = parts
        .iter()
        .filter(|part| part.get("thought") != Some(&Value::Bool(true)))
        .filter_map(|part| text(part, "/text"))
        .collect();
    let arguments = parts
        .iter()
        .find_map(|part| part.pointer("/functionCall/args"))
        .filter(|_| mode == StructuredOutput::Tool);
    let finish = match (
        blocked,
        candidate.and_then(|candidate| text(candidate, "/finishReason")),
    ) {
        (Some(reason), _) => Finish::Refused(reason.to_owned()),
        (None, Some("MAX_TOKENS")) => Finish::Truncated,
        (
            None,
            Some(
                reason @ ("SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "OTHER"),
            ),
        ) => {
            let words = candidate.and_then(|candidate| text(candidate, "/finishMessage"));
            Finish::Refused(words.unwrap_or(reason).to_owned())
        }
        // STOP, and what the checks of the answer find out: a malformed call, a reason that is new.
        (None, _) => Finish::Complete,
    };
    Ok(Completion {
        text: arguments.map_or(written, Value::to_string),
        finish,
        usage: usage(answer),
        model: text(answer, "/modelVersion").map(str::to_owned),
    })
}

/// Counts of zero are left out, as protocol buffers do; what it thought is counted beside what it wrote.
fn usage(answer: &Value) -> Option<Usage> {
    let written = count(answer, "/usageMetadata/candidatesTokenCount").unwrap_or(0);
    let thought = count(answer, "/usageMetadata/thoughtsTokenCount").unwrap_or(0);
    Some(Usage {
        input: count(answer, "/usageMetadata/promptTokenCount")?,
        cached: count(answer, "/usageMetadata/cachedContentTokenCount").unwrap_or(0),
        output: written.saturating_add(thought),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_may_name_its_collection() {
        assert_eq!(path("gemini-x"), ["v1beta", "models", "gemini-x:generateContent"]);
        assert_eq!(path("models/gemini-x"), path("gemini-x"));
        assert_eq!(path("tunedModels/y"), ["v1beta", "tunedModels", "y:generateContent"]);
    }

    #[test]
    fn thoughts_are_no_text_but_are_counted() {
        let answer = json!({
            "candidates": [{
                "content": { "role": "model", "parts": [{ "text": "hm", "thought": true }, { "text": "{}" }] },
                "finishReason": "STOP",
            }],
            "usageMetadata": {
                "promptTokenCount": 10, "cachedContentTokenCount": 4, "candidatesTokenCount": 1, "thoughtsTokenCount": 6,
            },
        });
        let completion = read(StructuredOutput::Schema, &answer).unwrap();
        assert_eq!(completion.text, "{}");
        let counted = Usage {
            input: 10,
            cached: 4,
            output: 7,
        };
        assert_eq!(completion.usage, Some(counted));
    }

    #[test]
    fn a_filter_before_or_after_the_model_refuses() {
        let finish = |answer: Value| read(StructuredOutput::Prompt, &answer).unwrap().finish;
        let before = json!({ "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" } });
        assert_eq!(finish(before), Finish::Refused("PROHIBITED_CONTENT".into()));
        for reason in ["SAFETY", "RECITATION", "SPII", "OTHER"] {
            let after = json!({ "candidates": [{ "finishReason": reason }] });
            assert_eq!(finish(after), Finish::Refused(reason.into()));
        }
        let malformed = json!({ "candidates": [{ "finishReason": "MALFORMED_FUNCTION_CALL" }] });
        assert_eq!(finish(malformed), Finish::Complete);
    }
}
