use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::{Request, Response, header};
use http_body_util::BodyExt as _;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::*;
use crate::figures;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// How the stand-in takes a delivery.
#[derive(Clone, Copy)]
enum Behaviour {
    Keep,
    Fail,
    Panic,
    /// Waits for [`Stand::go`], then keeps.
    Wait,
}

struct Stand {
    behaviour: Behaviour,
    kept: Mutex<Vec<DeliveryRequest>>,
    begun: Notify,
    go: Notify,
    done: Notify,
    store_works: AtomicBool,
}

impl Backend for Arc<Stand> {
    async fn accept(&self, delivery: DeliveryRequest) -> Result<(), NotAccepted> {
        self.begun.notify_one();
        match self.behaviour {
            Behaviour::Keep => {}
            Behaviour::Fail => return Err(NotAccepted("the disk is full".to_owned())),
            Behaviour::Panic => panic!("expected by the test"),
            Behaviour::Wait => self.go.notified().await,
        }
        self.kept.lock().unwrap().push(delivery);
        self.done.notify_one();
        Ok(())
    }

    async fn readiness(&self) -> Readiness {
        if matches!(self.behaviour, Behaviour::Panic) {
            panic!("expected by the test");
        }
        let works = self.store_works.load(Ordering::SeqCst);
        Readiness {
            store: if works {
                Ok(())
            } else {
                Err("the disk is full".to_owned())
            },
            github: serde_json::json!({"last_answer": 502}),
        }
    }

    async fn queues(&self) -> Option<Vec<Queue>> {
        Some(vec![Queue {
            name: "deliveries",
            depth: 3,
            oldest_seconds: 40,
        }])
    }
}

struct House {
    stand: Arc<Stand>,
    secrets: Secrets,
    recorder: PrometheusRecorder,
    router: Router,
}

fn house(behaviour: Behaviour, answer_within: Duration) -> House {
    let stand = Arc::new(Stand {
        behaviour,
        kept: Mutex::default(),
        begun: Notify::new(),
        go: Notify::new(),
        done: Notify::new(),
        store_works: AtomicBool::new(true),
    });
    let secrets = Secrets::new(SECRET, None).unwrap();
    let recorder = PrometheusBuilder::new().build_recorder();
    let router = route(Shared {
        backend: Arc::clone(&stand),
        secrets: secrets.clone(),
        figures: recorder.handle(),
        answer_within,
    });
    House {
        stand,
        secrets,
        recorder,
        router,
    }
}

impl House {
    fn that(behaviour: Behaviour) -> Self {
        house(behaviour, ANSWER_WITHIN)
    }

    async fn ask(&self, request: Request<Body>) -> (StatusCode, String) {
        told(self.router.clone().oneshot(request).await.unwrap()).await
    }

    fn signed(&self, body: &'static str) -> Request<Body> {
        delivery(Some(&self.secrets.sign(body.as_bytes())), body)
    }

    fn kept(&self) -> Vec<DeliveryRequest> {
        self.stand.kept.lock().unwrap().clone()
    }
}

async fn told(response: Response<Body>) -> (StatusCode, String) {
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn delivery(signature: Option<&str>, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post("/webhook")
        .header("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
        .header("X-GitHub-Event", "issue_comment")
        .header("X-GitHub-Hook-ID", "292430182")
        .header("X-GitHub-Hook-Installation-Target-Type", "integration")
        .header("X-GitHub-Hook-Installation-Target-ID", "79929171")
        .header(header::CONTENT_TYPE, "application/json");
    match signature {
        Some(signature) => request.header("X-Hub-Signature-256", signature),
        None => request,
    }
    .body(body.into())
    .unwrap()
}

fn get_request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_signed_delivery_is_kept_as_it_came() {
    let house = House::that(Behaviour::Keep);
    // Not JSON: what it means is looked at later.
    let (status, _) = house.ask(house.signed("{\"broken\": ")).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(
        house.kept(),
        [DeliveryRequest {
            id: DeliveryId::from("72d3162e-cc78-11e3-81ab-4c9367dc0958"),
            event: "issue_comment".to_owned(),
            hook_id: Some("292430182".to_owned()),
            target_type: Some("integration".to_owned()),
            target_id: Some("79929171".to_owned()),
            content_type: Some("application/json".to_owned()),
            signed_with: SecretName::Current,
            body: Bytes::from_static(b"{\"broken\": "),
        }]
    );
}

#[tokio::test]
async fn refused_signatures_look_alike() {
    let house = House::that(Behaviour::Keep);
    let right = house.secrets.sign(b"{}");
    let forged = Secrets::new(&SECRET.to_uppercase(), None).unwrap().sign(b"{}");
    let sha1 = format!("sha1={}", "0".repeat(40));
    let mut answers = Vec::new();
    for signature in [None, Some(forged.as_str()), Some(&sha1), Some("sha256=xyz"), Some("")] {
        answers.push(house.ask(delivery(signature, "{}")).await);
    }
    answers.push(house.ask(delivery(Some(&right), "{ }")).await);
    let mut only_sha1 = delivery(None, "{}");
    only_sha1.headers_mut().insert("X-Hub-Signature", sha1.parse().unwrap());
    answers.push(house.ask(only_sha1).await);
    let mut unnamed = delivery(None, "{}");
    unnamed.headers_mut().remove("X-GitHub-Delivery");
    answers.push(house.ask(unnamed).await);

    for answer in &answers {
        assert_eq!(
            answer,
            &(StatusCode::UNAUTHORIZED, "the signature does not hold\n".to_owned())
        );
    }
    assert_eq!(house.kept(), []);
}

#[tokio::test]
async fn a_signed_request_without_its_names_is_told_what_is_missing() {
    let house = House::that(Behaviour::Keep);
    for name in ["X-GitHub-Delivery", "X-GitHub-Event"] {
        for value in [None, Some(""), Some("  "), Some("é")] {
            let mut request = house.signed("{}");
            match value {
                None => request.headers_mut().remove(name),
                Some(value) => request
                    .headers_mut()
                    .insert(name, header::HeaderValue::from_bytes(value.as_bytes()).unwrap()),
            };
            let (status, words) = house.ask(request).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{name}: {value:?}");
            assert!(words.contains(name), "{words}");
        }
    }
    assert_eq!(house.kept(), []);
}

#[tokio::test]
async fn a_body_at_the_limit_is_taken_and_one_byte_more_is_not() {
    let house = House::that(Behaviour::Keep);
    let largest = vec![b' '; BODY_LIMIT];
    let signature = house.secrets.sign(&largest);
    let (status, _) = house.ask(delivery(Some(&signature), largest)).await;
    assert_eq!(status, StatusCode::ACCEPTED);

    let over = vec![b' '; BODY_LIMIT + 1];
    let signature = house.secrets.sign(&over);
    let (status, words) = house.ask(delivery(Some(&signature), over)).await;
    assert_eq!(
        (status, words.as_str()),
        (StatusCode::PAYLOAD_TOO_LARGE, "the body is over 25 MB\n")
    );

    // Announced, not sent: it is not waited for.
    let mut announced = delivery(None, "");
    announced
        .headers_mut()
        .insert(header::CONTENT_LENGTH, (BODY_LIMIT + 1).into());
    assert_eq!(house.ask(announced).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(house.kept().len(), 1);
}

#[tokio::test]
async fn what_could_not_be_stored_is_to_be_sent_again_and_the_reason_stays_here() {
    for behaviour in [Behaviour::Fail, Behaviour::Panic] {
        let house = House::that(behaviour);
        let (status, words) = house.ask(house.signed("{}")).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(!words.contains("disk"), "{words}");
    }
}

#[tokio::test]
async fn an_answer_comes_in_time_and_the_writing_goes_on() {
    let house = house(Behaviour::Wait, Duration::from_millis(10));
    let (status, _) = house.ask(house.signed("{}")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    house.stand.go.notify_one();
    house.stand.done.notified().await;
    assert_eq!(house.kept().len(), 1);
}

#[tokio::test]
async fn a_sender_that_hangs_up_does_not_cut_the_writing_short() {
    let house = House::that(Behaviour::Wait);
    tokio::select! {
        _ = house.ask(house.signed("{}")) => panic!("nothing was answered yet"),
        () = house.stand.begun.notified() => {}
    }
    house.stand.go.notify_one();
    house.stand.done.notified().await;
    assert_eq!(house.kept().len(), 1);
}

#[tokio::test]
async fn ready_means_that_a_delivery_can_be_stored_whatever_github_does() {
    let house = House::that(Behaviour::Keep);
    let (status, body) = house.ask(get_request("/readyz")).await;
    assert_eq!(status, StatusCode::OK);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"ready": true, "store": "ok", "github": {"last_answer": 502}})
    );

    house.stand.store_works.store(false, Ordering::SeqCst);
    let (status, body) = house.ask(get_request("/readyz")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("the disk is full"), "{body}");
    assert_eq!(house.ask(get_request("/livez")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn figures_are_counted_and_gauges_are_fresh() {
    let house = House::that(Behaviour::Keep);
    let _recording = metrics::set_default_local_recorder(&house.recorder);
    figures::describe();
    house.ask(house.signed("{}")).await;
    house.ask(house.signed("{ }")).await;
    house.ask(delivery(None, "{}")).await;
    figures::effect("comment", "done");
    figures::github_remaining(crate::workflow::ids::InstallationId(7), 4_999);

    let (status, page) = house.ask(get_request("/metrics")).await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        "countersign_deliveries_total{outcome=\"accepted\"} 2",
        "countersign_deliveries_total{outcome=\"bad_signature\"} 1",
        "countersign_queue_depth{queue=\"deliveries\"} 3",
        "countersign_oldest_seconds{queue=\"deliveries\"} 40",
        "countersign_effects_total{kind=\"comment\",outcome=\"done\"} 1",
        "countersign_github_remaining{installation=\"7\"} 4999",
    ] {
        assert!(page.lines().any(|have| have == line), "{line} is not in\n{page}");
    }
}

#[tokio::test]
async fn a_handler_that_panics_answers() {
    let house = House::that(Behaviour::Panic);
    let (status, _) = house.ask(get_request("/readyz")).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn only_the_listed_doors_open() {
    let house = House::that(Behaviour::Keep);
    assert_eq!(
        house.ask(get_request("/webhook")).await.0,
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert_eq!(house.ask(get_request("/")).await.0, StatusCode::NOT_FOUND);
}

/// Sends one signed delivery over TCP; the task ends with all that was answered.
fn send(address: std::net::SocketAddr, secrets: &Secrets) -> tokio::task::JoinHandle<String> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let request = format!(
        "POST /webhook HTTP/1.1\r\nHost: here\r\nX-GitHub-Delivery: 1\r\nX-GitHub-Event: ping\r\n\
         X-Hub-Signature-256: {}\r\nContent-Length: 2\r\n\r\n{{}}",
        secrets.sign(b"{}")
    );
    tokio::spawn(async move {
        let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer
    })
}

#[tokio::test]
async fn a_server_told_to_stop_finishes_what_has_begun() {
    let house = House::that(Behaviour::Wait);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, house.router.clone(), stop.clone()));
    let sending = send(address, &house.secrets);
    house.stand.begun.notified().await;
    stop.cancel();
    house.stand.go.notify_one();
    let answer = sending.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    serving.await.unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_server_told_to_stop_does_not_wait_for_ever() {
    let house = House::that(Behaviour::Wait);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let drain = Duration::from_millis(10);
    let serving = tokio::spawn(serve::serve_and_drain(
        listener,
        house.router.clone(),
        stop.clone(),
        drain,
    ));
    let _sending = send(address, &house.secrets);
    house.stand.begun.notified().await;
    stop.cancel();
    serving.await.unwrap().unwrap();
    assert_eq!(house.kept(), []);
}
