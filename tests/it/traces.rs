//! Traces as a collector gets them from the real program: one trace from the delivery to its effects, also across a
//! process that was killed. Its mail goes to a real server by STARTTLS and a login.

#[path = "../mail/postbox.rs"]
mod postbox;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::routing::post;
use countersign::sandbox::{Delivery, FaultKind, FaultRule, IssueNumber, Role, Sandbox};
use mailin_embedded::{AuthMechanism, SslConfig};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;
use tokio::sync::watch;

use crate::start::{PATIENCE, Program, Running, until};
use crate::world::SECRET;

/// A span as it came.
#[derive(Debug, Clone)]
struct Span {
    name: String,
    trace: Vec<u8>,
    id: Vec<u8>,
    parent: Vec<u8>,
    attributes: BTreeMap<String, String>,
}

impl Span {
    fn is(&self, name: &str, attributes: &[(&str, &str)]) -> bool {
        let has = |(key, value): &(&str, &str)| self.attributes.get(*key).is_some_and(|is| is == value);
        self.name == name && attributes.iter().all(has)
    }
}

/// A collector that speaks OTLP over HTTP.
#[derive(Clone)]
struct Collector {
    url: String,
    spans: Arc<Mutex<Vec<Span>>>,
    services: Arc<Mutex<Vec<String>>>,
    came: watch::Sender<usize>,
}

impl Collector {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let collector = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            spans: Arc::default(),
            services: Arc::default(),
            came: watch::channel(0).0,
        };
        let router = Router::new()
            .route("/v1/traces", post(take))
            .with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        collector
    }

    fn all(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }

    fn one(&self, name: &str, attributes: &[(&str, &str)]) -> Span {
        let all = self.all();
        let mut found = all.iter().filter(|span| span.is(name, attributes));
        let first = found
            .next()
            .unwrap_or_else(|| panic!("no {name} {attributes:?} in {all:#?}"));
        first.clone()
    }

    /// Waits until such a span has come.
    async fn until(&self, name: &str, attributes: &[(&str, &str)]) {
        let mut came = self.came.subscribe();
        let waiting = async {
            while !self.all().iter().any(|span| span.is(name, attributes)) {
                came.changed().await.unwrap();
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(in_time.is_ok(), "no {name} {attributes:?} came: {:#?}", self.all());
    }
}

async fn take(State(collector): State<Collector>, body: Bytes) -> ([(header::HeaderName, &'static str); 1], Vec<u8>) {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    for resource in request.resource_spans {
        let of_resource = resource.resource.unwrap().attributes;
        let named = of_resource.into_iter().filter(|pair| pair.key == "service.name");
        collector
            .services
            .lock()
            .unwrap()
            .extend(named.map(|pair| text(pair.value)));
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            assert!(span.events.is_empty(), "log lines stay at home: {:?}", span.events);
            collector.spans.lock().unwrap().push(Span {
                name: span.name,
                trace: span.trace_id,
                id: span.span_id,
                parent: span.parent_span_id,
                attributes: span
                    .attributes
                    .into_iter()
                    .map(|pair| (pair.key, text(pair.value)))
                    .collect(),
            });
        }
    }
    collector.came.send_modify(|count| *count += 1);
    let answer = ExportTraceServiceResponse::default().encode_to_vec();
    ([(header::CONTENT_TYPE, "application/x-protobuf")], answer)
}

fn text(value: Option<opentelemetry_proto::tonic::common::v1::AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        other => format!("{other:?}"),
    }
}

async fn github() -> (Sandbox, IssueNumber) {
    let github = Sandbox::builder()
        .repo("acme/shop")
        .app(4711, "countersign")
        .secret(SECRET)
        .person("alice", Role::Write)
        .person("bob", Role::Write)
        .file(
            ".github/countersign.yml",
            "version: 1\nmail:\n  to: [team@acme.example, gone@acme.example]\n",
        )
        .delivery(Delivery::Automatic)
        .start()
        .await
        .unwrap();
    let issue = github
        .as_("alice")
        .open_issue("Checkout is slow", "- [ ] Measure it thoroughly")
        .unwrap();
    (github, issue)
}

fn program(github: &Sandbox, collector: &Collector) -> Program {
    Program::new(&github.base_url())
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)
        .set("OTEL_BSP_SCHEDULE_DELAY", "20")
}

async fn started(program: &Program, github: &Sandbox) -> Running {
    let running = program.start().await;
    github.set_hook_target(&format!("{}/webhook", running.url));
    running
}

/// What the card offers for approval, when it has been offered.
async fn offered(github: &Sandbox, issue: IssueNumber, after: Option<&str>) -> String {
    let offer = |github: &Sandbox| {
        github.comments(issue).into_iter().find_map(|comment| {
            let (_, digest) = comment.body.split_once("`/approve ")?;
            digest.get(..12).map(str::to_owned)
        })
    };
    until(github, "something is offered for approval", |github| {
        offer(github).is_some_and(|offered| Some(offered.as_str()) != after)
    })
    .await;
    offer(github).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_leads_from_the_delivery_to_its_effects_and_holds_nobodys_words() {
    let collector = Collector::start().await;
    let (github, issue) = github().await;
    let (certificate, key) = (
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/mail/testdata/localhost.pem"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/mail/testdata/localhost.key"),
    );
    let (mail_server, taken) = postbox::real_server_with(move |server| {
        let ssl = SslConfig::SelfSigned {
            cert_path: certificate.to_owned(),
            key_path: key.to_owned(),
        };
        server.with_ssl(ssl).unwrap().with_auth(AuthMechanism::Plain);
    });
    let program = program(&github, &collector)
        .set(
            "COUNTERSIGN_MAIL_URL",
            &format!("smtp://bot%40example.org:p%40ss@{mail_server}?tls=required"),
        )
        .set("SSL_CERT_FILE", certificate);
    let running = started(&program, &github).await;
    github.as_("alice").comment(issue, "/deliver").unwrap();
    let tasks = offered(&github, issue, None).await;
    github.as_("bob").comment(issue, &format!("/approve {tasks}")).unwrap();
    let mail = offered(&github, issue, Some(&tasks)).await;
    github.as_("bob").comment(issue, &format!("/approve {mail}")).unwrap();
    until(&github, "the card names who did not get the mail", |github| {
        github
            .comments(issue)
            .iter()
            .any(|comment| comment.body.contains("The mail was handed over as") && comment.body.contains("gone@"))
    })
    .await;
    running.signal("-TERM");
    let (code, log) = running.end().await;
    assert_eq!(code, Some(0), "{log}");
    {
        let taken = taken.lock().unwrap();
        assert_eq!(taken.len(), 1, "{taken:#?}");
        assert_eq!(taken[0].to, ["team@acme.example"]);
    }

    let command = collector.one("command", &[("verb", "deliver")]);
    let of_trace: Vec<Span> = collector
        .all()
        .into_iter()
        .filter(|span| span.trace == command.trace)
        .collect();
    let here = |name: &str| -> Vec<&Span> { of_trace.iter().filter(|span| span.name == name).collect() };
    let (webhook, delivery) = (here("webhook"), here("delivery"));
    assert_eq!(
        (webhook.len(), delivery.len(), here("command").len()),
        (1, 1, 1),
        "{of_trace:#?}"
    );
    assert!(webhook[0].parent.is_empty(), "{webhook:?}");
    assert_eq!(webhook[0].attributes["delivery"], delivery[0].attributes["delivery"]);
    assert_eq!(delivery[0].parent, webhook[0].id);
    assert_eq!(command.parent, delivery[0].id);
    for kind in ["run_agent", "card"] {
        assert!(
            of_trace.iter().any(|span| span.is("effect", &[("kind", kind)])),
            "no {kind}: {of_trace:#?}"
        );
    }
    // Whatever is in a trace hangs together: each span's parent came as well.
    for span in collector.all() {
        let parent = collector.all().into_iter().find(|parent| parent.id == span.parent);
        assert!(
            span.parent.is_empty() || parent.is_some_and(|parent| parent.trace == span.trace),
            "{span:#?} has no parent"
        );
        for (key, value) in &span.attributes {
            for words in ["Checkout", "Measure", "/deliver", "alice", "bob", "team@", SECRET] {
                assert!(!value.contains(words), "{} tells {words} as {key}", span.name);
            }
        }
    }
    let calls: Vec<&Span> = of_trace.iter().filter(|span| span.name == "github").collect();
    assert!(
        calls
            .iter()
            .any(|call| call.attributes["http.response.status_code"] == "201"),
        "{calls:#?}"
    );
    // The mail was handed over under the approval of the mail.
    let approved = collector.one("mail", &[]);
    assert!(
        collector
            .all()
            .iter()
            .any(|span| span.trace == approved.trace && span.is("command", &[("verb", "approve")]))
    );
    assert!(
        collector
            .services
            .lock()
            .unwrap()
            .iter()
            .all(|name| name == "countersign")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_goes_on_in_the_process_that_takes_over() {
    let collector = Collector::start().await;
    let (github, issue) = github().await;
    let program = program(&github, &collector);
    let killed = started(&program, &github).await;
    // GitHub takes the card and never says so; then the power is cut.
    let silent = FaultRule::when(
        |method, path| method == "POST" && path.ends_with("/comments"),
        FaultKind::ExecuteThenTimeout,
    );
    github.fault(silent.times(1));
    github.as_("alice").comment(issue, "/deliver").unwrap();
    until(&github, "the card is posted", |github| {
        github.comments(issue).len() == 2
    })
    .await;
    collector.until("command", &[("verb", "deliver")]).await;
    killed.signal("-KILL");
    assert_eq!(killed.end().await.0, None);
    github.heal();
    let heir = started(&program, &github).await;
    collector
        .until("effect", &[("kind", "card"), ("attempt", "2"), ("doubt", "true")])
        .await;
    heir.signal("-TERM");
    assert_eq!(heir.end().await.0, Some(0));
    let command = collector.one("command", &[("verb", "deliver")]);
    let again = collector.one("effect", &[("kind", "card"), ("attempt", "2"), ("doubt", "true")]);
    assert_eq!((again.trace, again.parent), (command.trace, command.id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_not_there_costs_nothing_but_a_line() {
    let (github, issue) = github().await;
    let program = Program::new(&github.base_url())
        .set("COUNTERSIGN_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .set("OTEL_BSP_SCHEDULE_DELAY", "20");
    let mut running = started(&program, &github).await;
    github.as_("alice").comment(issue, "/deliver").unwrap();
    offered(&github, issue, None).await;
    running.says("traces cannot be handed over").await;
    running.signal("-TERM");
    let (code, log) = running.end().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("traces cannot be handed over"), "it is said once:\n{log}");
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_used_refuses_to_start() {
    for (name, value, wanted) in [
        (
            "COUNTERSIGN_OTLP_ENDPOINT",
            "collector:4318",
            "has the scheme collector",
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector", "is not a URL"),
    ] {
        let refused = Program::new(crate::start::NOBODY).set(name, value).refuse().await;
        crate::start::one(&refused, &[name, wanted]);
    }
    let grpc = Program::new(crate::start::NOBODY)
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
        .set("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    crate::start::one(&grpc.refuse().await, &["OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"]);
}
