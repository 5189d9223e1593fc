//! What the bot asks of GitHub, as a story's record tells it: by the program's own list of operations.

use countersign::github::Operation;
use countersign::github::operation::Kind;
use countersign::sandbox::RequestRecord;

/// A call that can go wrong alone: an operation, and of what, where it is asked for several things.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    pub operation: Operation,
    /// A file or folder; the owner's repository, whose configuration stands above all others.
    of: Option<String>,
}

impl Call {
    /// The call behind a method and a path. One of GraphQL is told by `/graphql/` and its name.
    pub fn of(method: &str, path: &str) -> Option<Self> {
        let fits = |operation: &Operation| match operation.kind() {
            Kind::Rest(known, template) => (known == method).then(|| literals(template, path)).flatten(),
            Kind::Query(name) | Kind::Mutation(name) => (path.strip_prefix("/graphql/") == Some(name)).then_some(0),
        };
        let fitting = Operation::ALL
            .iter()
            .filter_map(|operation| Some((fits(operation)?, *operation)));
        let (_, operation) = fitting.max_by_key(|(literals, _)| *literals)?;
        let segments: Vec<&str> = path.split('/').collect();
        let owners = segments.get(3) == Some(&".github");
        let of = match operation {
            Operation::Contents if owners => Some(path.to_owned()),
            Operation::Contents => Some(segments[5..].join("/")),
            Operation::Repository if owners => Some("the owner's".to_owned()),
            _ => None,
        };
        Some(Self { operation, of })
    }

    /// The call behind a request.
    ///
    /// # Panics
    /// When it is none that the program has in its list.
    pub fn made(request: &RequestRecord) -> Self {
        let query = request.body.as_ref().and_then(|body| body["query"].as_str());
        let path = match query.filter(|_| request.path == "/graphql") {
            Some(query) => {
                let named = query.split_once(' ').map_or("", |(_, rest)| rest);
                let name = named.split(|end: char| !end.is_ascii_alphanumeric()).next();
                format!("/graphql/{}", name.unwrap_or_default())
            }
            None => request.path.clone(),
        };
        Self::of(&request.method, &path).unwrap_or_else(|| panic!("{} {path} is no known call", request.method))
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.operation)?;
        match &self.of {
            Some(of) => write!(f, " ({of})"),
            None => Ok(()),
        }
    }
}

/// How many parts of a path stand in its template as they are, where it fits.
fn literals(template: &str, path: &str) -> Option<usize> {
    let mut literals = 0;
    let mut parts = path.split('/');
    for wanted in template.split('/') {
        let part = parts.next()?;
        if wanted.starts_with("{+") {
            return Some(literals);
        }
        if !wanted.starts_with('{') {
            if wanted != part {
                return None;
            }
            literals += 1;
        }
    }
    parts.next().is_none().then_some(literals)
}
