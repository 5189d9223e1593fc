//! Which failure an answer is, and what of the endpoint's words may be shown.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::{Completion, Failure, Finish, retry_after};

/// Characters of an endpoint's words that are kept.
const WORDS: usize = 300;

/// A key of fewer characters is no secret but a word that servers without keys are given (`EMPTY`, `ollama`); taking it
/// out of an answer would damage the answer.
const SECRET_FROM: usize = 16;

/// What stands where the key stood.
const STRUCK: &str = "[key]";

/// JSON without what the dialect has there.
pub(super) fn another_shape(missing: &str) -> Failure {
    Failure::NotTheDialect(format!(
        "it answered JSON of another shape, without {missing}; check the endpoint's dialect and base URL"
    ))
}

/// The failure that a status other than 2xx is.
pub(super) fn of_status(status: u16, headers: &HeaderMap, content: &[u8], model: &str) -> Failure {
    if (300..400).contains(&status) {
        let to = headers
            .get("location")
            .map(|to| format!(" to {}", String::from_utf8_lossy(to.as_bytes())));
        return Failure::NotTheDialect(format!(
            "it redirected{} with {status}; redirects are not followed, set the base URL to where it answers itself",
            to.unwrap_or_default()
        ));
    }
    let body: Option<Value> = serde_json::from_slice(content).ok();
    let body = body.as_ref().map(first);
    let said = match body {
        Some(body) => message(body),
        None => plain(headers, content),
    };
    let error = body.map(error_of);
    let wait = retry_after::in_headers(headers).or_else(|| retry_after::in_body(error?));
    let status = match (status, error) {
        // Gemini says 400 of a wrong key (https://ai.google.dev/gemini-api/docs/troubleshooting).
        (400, Some(error)) if is_wrong_key(error) => return Failure::KeyRefused { status, said },
        (400, Some(error)) if is_unknown_model(error, &said, model) => 404,
        (status, _) => status,
    };
    of_code(status, wait, said)
}

/// The failure that stands in an answer of 200, as OpenRouter and other proxies write it once they have begun
/// (<https://openrouter.ai/docs/api-reference/errors>).
pub(super) fn inside(answer: &Value) -> Option<Failure> {
    let error = answer.get("error").filter(|error| !error.is_null())?;
    let said = message(answer);
    let code = error.get("code");
    let number = code
        .and_then(Value::as_u64)
        .or_else(|| code?.as_str()?.parse().ok())
        .and_then(|code| u16::try_from(code).ok())
        .filter(|code| (400..600).contains(code));
    let named = || {
        let names = [code, error.get("type")];
        names.into_iter().flatten().filter_map(Value::as_str).find_map(by_name)
    };
    Some(match number.or_else(named) {
        Some(code) => of_code(code, retry_after::in_body(error), said),
        None => Failure::NotTheDialect(format!("it answered 200 with an error: {said}")),
    })
}

/// The status that belongs to the name of an error (<https://docs.anthropic.com/en/api/errors>,
/// <https://platform.openai.com/docs/guides/error-codes>).
fn by_name(name: &str) -> Option<u16> {
    Some(match name {
        "invalid_request_error" => 400,
        "authentication_error" | "invalid_api_key" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" | "model_not_found" => 404,
        "request_too_large" => 413,
        "rate_limit_error" | "rate_limit_exceeded" | "insufficient_quota" => 429,
        "api_error" | "server_error" => 500,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        _ => return None,
    })
}

fn of_code(status: u16, retry_after: Option<Duration>, said: String) -> Failure {
    match status {
        408 | 409 | 429 | 500.. => Failure::Busy {
            status,
            retry_after,
            said,
        },
        401 | 403 => Failure::KeyRefused { status, said },
        404 => Failure::NotThere { said },
        _ => Failure::Refused { status, said },
    }
}

/// Gemini wraps some errors in a list.
fn first(body: &Value) -> &Value {
    body.get(0).unwrap_or(body)
}

fn error_of(body: &Value) -> &Value {
    body.get("error").filter(|error| error.is_object()).unwrap_or(body)
}

fn is_wrong_key(error: &Value) -> bool {
    let details = error.get("details").and_then(Value::as_array);
    details.is_some_and(|details| {
        details
            .iter()
            .any(|detail| detail.get("reason").and_then(Value::as_str) == Some("API_KEY_INVALID"))
    })
}

/// Some answer 400 where others answer 404. Only what says so of the model itself counts: a sentence that names it, the
/// code for it, or DeepSeek's sentence, which names nothing.
fn is_unknown_model(error: &Value, said: &str, model: &str) -> bool {
    const SAYINGS: [&str; 5] = [
        "does not exist",
        "not found",
        "not a valid model",
        "unknown model",
        "no such model",
    ];
    if error.get("code").and_then(Value::as_str) == Some("model_not_found") {
        return true;
    }
    let said = said.to_lowercase();
    let names_it = said.contains("model") && said.contains(&model.to_lowercase());
    said == "model not exist" || (names_it && SAYINGS.iter().any(|saying| said.contains(saying)))
}

/// The endpoint's words, wherever its kind of server puts them.
fn message(body: &Value) -> String {
    let places = ["/error/message", "/error", "/message", "/detail", "/detail/0/msg"];
    places
        .iter()
        .find_map(|place| body.pointer(place)?.as_str())
        .unwrap_or("without a word that we know")
        .to_owned()
}

fn plain(headers: &HeaderMap, content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    if is_page(headers) || text.trim_start().starts_with('<') {
        "a web page".to_owned()
    } else if text.trim().is_empty() {
        "without a word".to_owned()
    } else {
        text.into_owned()
    }
}

/// Whether the headers announce a web page.
pub(super) fn is_page(headers: &HeaderMap) -> bool {
    headers
        .get("content-type")
        .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"text/html"))
}

/// A failure as it may be shown: without the key, its words on one line and not too many of them.
pub(super) fn presentable(failure: Failure, key: Option<&str>) -> Failure {
    let shown = |said: String| shortened(&without(&said, key));
    match failure {
        Failure::Busy {
            status,
            retry_after,
            said,
        } => Failure::Busy {
            status,
            retry_after,
            said: shown(said),
        },
        Failure::Unreachable(said) => Failure::Unreachable(shown(said)),
        Failure::BrokenOff(said) => Failure::BrokenOff(shown(said)),
        Failure::KeyRefused { status, said } => Failure::KeyRefused {
            status,
            said: shown(said),
        },
        Failure::NotThere { said } => Failure::NotThere { said: shown(said) },
        Failure::Refused { status, said } => Failure::Refused {
            status,
            said: shown(said),
        },
        Failure::NotTheDialect(said) => Failure::NotTheDialect(shown(said)),
    }
}

/// An answer without the key, should an endpoint repeat it.
pub(super) fn discreet(completion: Completion, key: Option<&str>) -> Completion {
    let secret = key.filter(|key| key.len() >= SECRET_FROM);
    Completion {
        text: without(&completion.text, secret),
        finish: match completion.finish {
            Finish::Refused(words) => Finish::Refused(shortened(&without(&words, key))),
            other => other,
        },
        usage: completion.usage,
        model: completion.model.map(|model| without(&model, secret)),
    }
}

fn without(text: &str, key: Option<&str>) -> String {
    match key.filter(|key| !key.is_empty()) {
        Some(key) => text.replace(key, STRUCK),
        None => text.to_owned(),
    }
}

fn shortened(text: &str) -> String {
    let line = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    match line.char_indices().nth(WORDS) {
        None => line,
        Some(_) => line.chars().take(WORDS - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(status: u16, body: &Value) -> Failure {
        of_status(status, &HeaderMap::new(), body.to_string().as_bytes(), "acme/m-1")
    }

    #[test]
    fn a_status_is_its_failure() {
        let body = json!({ "error": { "message": "no" } });
        for status in [408, 409, 429, 500, 502, 503, 504, 529] {
            assert!(matches!(of(status, &body), Failure::Busy { status: same, .. } if same == status));
        }
        for status in [401, 403] {
            assert!(matches!(of(status, &body), Failure::KeyRefused { .. }));
        }
        for status in [400, 402, 405, 413, 422] {
            assert_eq!(
                of(status, &body),
                Failure::Refused {
                    status,
                    said: "no".into()
                }
            );
        }
        assert_eq!(of(404, &body), Failure::NotThere { said: "no".into() });
        assert!(matches!(of(307, &body), Failure::NotTheDialect(_)));
    }

    #[test]
    fn words_are_found_where_each_kind_of_server_puts_them() {
        for body in [
            json!({ "error": { "message": "no" } }),
            json!({ "error": "no" }),
            json!({ "object": "error", "message": "no", "code": 422 }),
            json!({ "detail": "no" }),
            json!({ "detail": [{ "loc": ["body"], "msg": "no" }] }),
            json!([{ "error": { "code": 422, "message": "no" } }]),
        ] {
            assert_eq!(
                of(422, &body),
                Failure::Refused {
                    status: 422,
                    said: "no".into()
                },
                "{body}"
            );
        }
    }

    #[test]
    fn only_a_sentence_about_the_model_makes_400_a_missing_model() {
        let table = [
            ("acme/m-1 is not a valid model ID", true),
            ("The model `acme/m-1` does not exist", true),
            ("Model Not Exist", true),
            ("The model acme/m-1 takes no images", false),
            ("tool_choice: function not found", false),
            ("model: field required", false),
        ];
        for (said, missing) in table {
            let failure = of(400, &json!({ "error": { "message": said } }));
            assert_eq!(matches!(failure, Failure::NotThere { .. }), missing, "{said}");
        }
        let coded = of(400, &json!({ "error": { "message": "hm", "code": "model_not_found" } }));
        assert!(matches!(coded, Failure::NotThere { .. }));
    }

    #[test]
    fn an_error_in_a_200_is_read_by_its_code_or_its_name() {
        let kind = |error: Value| inside(&json!({ "error": error, "choices": [] })).unwrap();
        assert!(matches!(
            kind(json!({ "code": 429, "message": "x" })),
            Failure::Busy { status: 429, .. }
        ));
        assert!(matches!(
            kind(json!({ "code": "403", "message": "x" })),
            Failure::KeyRefused { status: 403, .. }
        ));
        assert!(matches!(
            kind(json!({ "type": "overloaded_error" })),
            Failure::Busy { status: 529, .. }
        ));
        assert!(matches!(
            kind(json!({ "code": "model_not_found", "type": "invalid_request_error" })),
            Failure::NotThere { .. }
        ));
        assert!(matches!(kind(json!("something")), Failure::NotTheDialect(said) if said.ends_with("something")));
        assert_eq!(inside(&json!({ "error": null })), None);
        assert_eq!(inside(&json!({})), None);
    }

    #[test]
    fn the_key_is_struck_before_words_are_cut() {
        let key = "sk-0123456789abcdef0123";
        let said = format!("{} {key}\n\tand {key}", "x".repeat(WORDS - 10));
        let Failure::NotThere { said } = presentable(Failure::NotThere { said }, Some(key)) else {
            panic!("another failure");
        };
        assert_eq!(said.chars().count(), WORDS);
        assert!(
            !said.contains("sk-") && !said.contains('\n') && said.ends_with('…'),
            "{said}"
        );
    }

    #[test]
    fn a_word_in_place_of_a_key_does_not_damage_an_answer() {
        let completion = Completion {
            text: "ollama says sk-0123456789abcdef0123".into(),
            finish: Finish::Refused("ollama".into()),
            usage: None,
            model: None,
        };
        let short = discreet(completion.clone(), Some("ollama"));
        assert_eq!(short.text, completion.text);
        assert_eq!(short.finish, Finish::Refused(STRUCK.into()));
        let long = discreet(completion, Some("sk-0123456789abcdef0123"));
        assert_eq!(long.text, "ollama says [key]");
    }
}
