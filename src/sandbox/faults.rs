//! What can go wrong between the bot and GitHub, on demand.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How a request goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The connection closes and nothing was carried out.
    Refuse,
    /// Carried out, and never answered: the connection stays open until the client gives up or two minutes pass.
    ExecuteThenTimeout,
    /// Carried out, and the connection closes without an answer.
    ExecuteThenReset,
    /// The connection closes, and it is carried out when [`super::Sandbox::carry_out_late`] is called: a request that was
    /// still on its way.
    ExecuteLate,
    /// Carried out, and answered 500.
    Error500AfterExecute,
    /// Not carried out: 429, with `Retry-After` in seconds if given.
    TooManyRequests { retry_after: Option<u64> },
    /// Not carried out: 403 with the text of the secondary rate limit, with `Retry-After` in seconds if given.
    Secondary403 { retry_after: Option<u64> },
    /// Carried out and answered, late.
    SlowThenOk(Duration),
    /// Carried out, and answered with the right status and a body that is not what was asked for.
    WrongJson,
    /// Not carried out: this status.
    Status(u16),
}

type Predicate = Arc<dyn Fn(&str, &str, &[u8]) -> bool + Send + Sync>;

/// Which requests go wrong, how, and how often.
#[derive(Clone)]
pub struct FaultRule {
    matches: Predicate,
    left: Option<u32>,
    skip: u32,
    kind: FaultKind,
}

impl fmt::Debug for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultRule")
            .field("left", &self.left)
            .field("skip", &self.skip)
            .field("kind", &self.kind)
            .finish()
    }
}

impl FaultRule {
    /// Strikes every request of this method whose path starts with `prefix`, until told otherwise.
    /// The method `*` means every method. A GraphQL request is known by `/graphql`, by its name and by its first field,
    /// such as `/graphql/addDiscussionComment`.
    pub fn on(method: &str, prefix: &str, kind: FaultKind) -> Self {
        let (method, prefix) = (method.to_owned(), prefix.to_owned());
        Self::when(
            move |asked, path| (method == "*" || asked == method) && path.starts_with(&prefix),
            kind,
        )
    }

    /// Strikes every request for which the predicate, given method and path, is true.
    pub fn when(predicate: impl Fn(&str, &str) -> bool + Send + Sync + 'static, kind: FaultKind) -> Self {
        Self::saying(move |method, path, _| predicate(method, path), kind)
    }

    /// Strikes every request for which the predicate, given method, path and body, is true.
    pub fn saying(predicate: impl Fn(&str, &str, &[u8]) -> bool + Send + Sync + 'static, kind: FaultKind) -> Self {
        Self {
            matches: Arc::new(predicate),
            left: None,
            skip: 0,
            kind,
        }
    }

    /// Strikes so many times, then no more.
    pub fn times(mut self, times: u32) -> Self {
        self.left = Some(times);
        self
    }

    /// Lets so many matching requests through first.
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }
}

/// The fault that strikes this request. The first rule that matches decides and is counted down. What shares an address
/// with others has another path as well, which tells it from them.
pub(super) fn strike(rules: &mut Vec<FaultRule>, (method, body): (&str, &[u8]), paths: &[String]) -> Option<FaultKind> {
    let is = |rule: &FaultRule| paths.iter().any(|path| (rule.matches)(method, path, body));
    let rule = rules.iter_mut().find(|rule| rule.left != Some(0) && is(rule))?;
    if rule.skip > 0 {
        rule.skip -= 1;
        return None;
    }
    let kind = rule.kind;
    if let Some(left) = &mut rule.left {
        *left -= 1;
    }
    rules.retain(|rule| rule.left != Some(0));
    Some(kind)
}
