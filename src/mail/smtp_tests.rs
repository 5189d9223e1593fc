//! One server of another maker for the good path, and a scripted one for what can go wrong.

#[path = "../../tests/mail/postbox.rs"]
mod postbox;
#[path = "../../tests/mail/scripted.rs"]
mod scripted;

use std::sync::atomic::{AtomicUsize, Ordering};

use mailin_embedded::{AuthMechanism, SslConfig};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Barrier;

use self::postbox::{real_server, real_server_with};
use self::scripted::{Does, Script, When};
use super::super::eml::{Eml, Sent, outgoing, post};
use super::super::{Mailer, Transport};
use super::*;
use crate::config::{InDoubt, MailUrl};
use crate::workflow::ids::Digest;

/// As long as a busy machine may need.
const PATIENT: Patience = Patience {
    place: Duration::from_secs(30),
    connect: Duration::from_secs(30),
    command: Duration::from_secs(30),
    data: Duration::from_secs(30),
    quit: Duration::from_millis(50),
    idle: Duration::from_secs(30),
};

/// For a step that is waited for in vain.
const SHORT: Duration = Duration::from_millis(200);

fn mailer(url: &str) -> Mailer {
    mailer_with(url, PATIENT, None)
}

fn mailer_trusting(url: &str, trusted: &Certificate) -> Mailer {
    mailer_with(url, PATIENT, Some(trusted.clone()))
}

fn mailer_with(url: &str, patience: Patience, trusted: Option<Certificate>) -> Mailer {
    let from = "Countersign <bot@example.org>".parse().unwrap();
    match url.parse().unwrap() {
        MailUrl::Smtp(url) => Mailer {
            from,
            transport: Transport::Smtp(Box::new(Server::new(&url, patience, trusted).unwrap())),
            in_doubt: InDoubt::Leave,
        },
        MailUrl::File(path) => panic!("{path:?}"),
    }
}

#[tokio::test]
async fn a_real_server_takes_the_very_bytes() {
    let (address, taken) = real_server();
    let mailer = mailer(&format!("smtp://{address}"));
    let mut mail = outgoing(&mailer, "wf-1-email-1");
    mail.mail.text = ".\r\n..\r\n.dot\nünïcödé\n.\nMAIL FROM:<evil@example.org>\r\n".to_owned();
    let sent = post(&mailer, &mail).await.unwrap();
    assert_eq!(sent.message_id.as_str(), "<wf-1-email-1@example.org>");
    assert_eq!(sent.refused, []);
    let taken = taken.lock().unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].from, "bot@example.org");
    assert_eq!(taken[0].to, ["team@example.org", "boss@example.com"]);
    assert_eq!(Digest::of_bytes(&taken[0].raw), sent.digest);
    let eml = Eml::parse(&taken[0].raw);
    assert_eq!(eml.header("Message-ID"), "<wf-1-email-1@example.org>");
    assert!(eml.parts[0].1.contains("ünïcödé\r\n.\r\nMAIL FROM:"));
}

#[tokio::test]
async fn starttls_and_login() {
    const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mail/testdata/localhost.pem");
    const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mail/testdata/localhost.key");
    crate::outgoing::choose_tls();
    let (address, taken) = real_server_with(|server| {
        let ssl = SslConfig::SelfSigned {
            cert_path: CERTIFICATE.to_owned(),
            key_path: KEY.to_owned(),
        };
        server.with_ssl(ssl).unwrap().with_auth(AuthMechanism::Plain);
    });
    let url = format!("smtp://bot%40example.org:p%40ss@{address}?tls=required");
    let trusted = Certificate::from_pem(&std::fs::read(CERTIFICATE).unwrap()).unwrap();
    let result = send(&mailer_trusting(&url, &trusted)).await;
    assert_eq!(outcome(&result), Outcome::Sent, "{result:?}");
    assert_eq!(taken.lock().unwrap().len(), 1);

    // A certificate that nobody vouches for, and a wrong password: no mail.
    let result = send(&mailer(&url)).await;
    assert_eq!(outcome(&result), Outcome::Transient, "{result:?}");
    let result = send(&mailer_trusting(&url.replace("p%40ss", "wrong"), &trusted)).await;
    assert_eq!(outcome(&result), Outcome::Permanent, "{result:?}");
    assert_eq!(taken.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_refused_recipient_is_named_and_the_others_get_the_mail() {
    let (address, taken) = real_server();
    let mailer = mailer(&format!("smtp://{address}"));
    let mut mail = outgoing(&mailer, "x");
    mail.mail.to = vec!["Gone <gone@example.org>".to_owned(), "team@example.org".to_owned()];
    let sent = post(&mailer, &mail).await.unwrap();
    assert_eq!(sent.refused.len(), 1);
    assert_eq!(sent.refused[0].address, "gone@example.org");
    assert!(sent.refused[0].answer.contains("550"), "{:?}", sent.refused);
    assert_eq!(taken.lock().unwrap()[0].to, ["team@example.org", "boss@example.com"]);

    mail.mail.to = vec!["gone@example.org".to_owned()];
    mail.mail.cc = vec!["gone-too@example.org".to_owned()];
    let failure = post(&mailer, &mail).await.unwrap_err();
    assert!(
        matches!(&failure, MailFailure::Permanent(why) if why.contains("gone@") && why.contains("gone-too@")),
        "{failure}"
    );
    assert_eq!(taken.lock().unwrap().len(), 1);
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Sent,
    Permanent,
    Transient,
    Doubt,
}

fn outcome(result: &Result<Sent, MailFailure>) -> Outcome {
    match result {
        Ok(_) => Outcome::Sent,
        Err(MailFailure::Permanent(_)) => Outcome::Permanent,
        Err(MailFailure::Transient(_)) => Outcome::Transient,
        Err(MailFailure::Doubt(_)) => Outcome::Doubt,
    }
}

async fn send(mailer: &Mailer) -> Result<Sent, MailFailure> {
    post(mailer, &outgoing(mailer, "wf-1-email-1")).await
}

#[tokio::test]
async fn every_moment_at_which_a_server_can_fail() {
    use Does::{Answers, Hangs, HangsUp};
    use Outcome::{Doubt, Permanent, Sent, Transient};
    for (when, does, wanted) in [
        (When::Greeting, Answers("220 again"), Sent),
        (When::Greeting, Answers("554 no mail here"), Permanent),
        (When::Greeting, Answers("421 too busy"), Transient),
        (When::Greeting, Answers("hello?"), Transient),
        (When::Greeting, Hangs, Transient),
        (When::Greeting, HangsUp, Transient),
        (When::Hello, Answers("550 go away"), Permanent),
        (When::Hello, Hangs, Transient),
        (When::Sender, Answers("550 not you"), Permanent),
        (When::Sender, Answers("451 later"), Transient),
        (When::Sender, Hangs, Transient),
        (When::Sender, HangsUp, Transient),
        (When::Recipient, Answers("550 nobody"), Permanent),
        (When::Recipient, Answers("450 greylisted"), Transient),
        (When::Recipient, HangsUp, Transient),
        (When::Data, Answers("554 no"), Permanent),
        (When::Data, Answers("451 later"), Transient),
        (When::Data, Hangs, Transient),
        (When::Data, HangsUp, Transient),
        (When::Mail, Answers("554 spam"), Permanent),
        (When::Mail, Answers("451 later"), Transient),
        (When::Mail, Answers("what"), Doubt),
        (When::Mail, Hangs, Doubt),
        (When::Mail, HangsUp, Doubt),
    ] {
        let script = Script::new(when, does);
        let mut patience = PATIENT;
        match (does, when) {
            (Hangs, When::Greeting | When::Hello) => patience.connect = SHORT,
            (Hangs, When::Mail) => patience.data = SHORT,
            (Hangs, _) => patience.command = SHORT,
            _ => {}
        }
        let url = format!("smtp://{}", script.start().await);
        let result = send(&mailer_with(&url, patience, None)).await;
        assert_eq!(outcome(&result), wanted, "{when:?} {does:?}: {result:?}");
        // Nothing that is not in doubt had left, unless the server itself said what became of it.
        let taken = script.taken().len();
        assert_eq!(
            taken,
            usize::from(when == When::Mail || wanted == Sent),
            "{when:?} {does:?}"
        );
    }
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let result = send(&mailer(&format!("smtp://{address}"))).await;
    assert_eq!(outcome(&result), Outcome::Transient, "{result:?}");
}

#[tokio::test]
async fn no_starttls_no_mail() {
    let script = Script::new(When::Mail, Does::Answers("250 queued"));
    let address = script.start().await;
    let result = send(&mailer(&format!("smtp://{address}?tls=required"))).await;
    assert_eq!(outcome(&result), Outcome::Permanent, "{result:?}");
    assert_eq!(script.taken().len(), 0);
    // TLS from the first byte is not what this server speaks.
    let result = send(&mailer(&format!("smtps://{address}"))).await;
    assert_eq!(outcome(&result), Outcome::Transient, "{result:?}");
    assert_eq!(script.taken().len(), 0);
}

#[tokio::test]
async fn logging_in() {
    let mut script = Script::new(When::Auth, Does::Answers("235 welcome"));
    script.extensions = "250-AUTH PLAIN LOGIN\r\n";
    let address = script.start().await;
    assert_eq!(
        outcome(&send(&mailer(&format!("smtp://bot:pw@{address}"))).await),
        Outcome::Sent
    );
    for (does, wanted) in [
        (Does::Answers("535 wrong hunter"), Outcome::Permanent),
        (Does::Answers("454 not now"), Outcome::Transient),
        (Does::HangsUp, Outcome::Transient),
    ] {
        script.does = does;
        let address = script.start().await;
        let result = send(&mailer(&format!("smtp://bot:hunter2@{address}"))).await;
        assert_eq!(outcome(&result), wanted, "{result:?}");
        assert!(!format!("{result:?}").contains("hunter2"));
    }
    // A server that offers no login that we know.
    script.extensions = "250-AUTH GSSAPI\r\n";
    let result = send(&mailer(&format!("smtp://bot:pw@{}", script.start().await))).await;
    assert_eq!(outcome(&result), Outcome::Permanent, "{result:?}");
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_server_that_says_so() {
    let mut script = Script::new(When::Greeting, Does::Answers("220 mx"));
    let plain = mailer(&format!("smtp://{}", script.start().await));
    let mut mail = outgoing(&plain, "x");
    mail.mail.to = vec!["jürgen@example.org".to_owned()];
    let result = post(&plain, &mail).await;
    assert!(
        matches!(&result, Err(MailFailure::Permanent(why)) if why.contains("SMTPUTF8")),
        "{result:?}"
    );
    // A host beyond ASCII goes out in its ASCII form.
    mail.mail.to = vec!["post@bücher.example".to_owned()];
    assert_eq!(outcome(&post(&plain, &mail).await), Outcome::Sent);
    script.extensions = "250-SMTPUTF8\r\n250-8BITMIME\r\n";
    let able = mailer(&format!("smtp://{}", script.start().await));
    mail.mail.to = vec!["jürgen@example.org".to_owned()];
    assert_eq!(outcome(&post(&able, &mail).await), Outcome::Sent);
}

#[tokio::test]
async fn no_more_than_two_connections_at_once() {
    // The server answers a mail only when two are waiting: fewer places would stand still, more are counted.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let pair = Arc::new(Barrier::new(CONNECTIONS));
    let (open_there, most_there) = (open.clone(), most.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (open, most, pair) = (open_there.clone(), most_there.clone(), pair.clone());
            tokio::spawn(async move {
                most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let mut stream = BufReader::new(stream);
                stream.write_all(b"220 mx\r\n").await.unwrap();
                let mut line = String::new();
                while stream.read_line(&mut line).await.unwrap() > 0 {
                    let reply: &[u8] = match line.as_str() {
                        "DATA\r\n" => b"354 go on\r\n",
                        ".\r\n" => {
                            pair.wait().await;
                            b"250 queued\r\n"
                        }
                        "QUIT\r\n" => {
                            open.fetch_sub(1, Ordering::SeqCst);
                            b"221 bye\r\n"
                        }
                        command
                            if ["EHLO", "NOOP", "MAIL", "RCPT"]
                                .iter()
                                .any(|verb| command.starts_with(verb)) =>
                        {
                            b"250 ok\r\n"
                        }
                        _ => b"",
                    };
                    stream.write_all(reply).await.unwrap();
                    line.clear();
                }
            });
        }
    });
    let mailer = mailer(&format!("smtp://{address}"));
    let sends = (0..6).map(|_| send(&mailer));
    let results = futures::future::join_all(sends).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(most.load(Ordering::SeqCst), CONNECTIONS);
}

#[tokio::test]
async fn one_session_carries_several_mails_and_ends_when_none_comes() {
    let script = Script::good();
    let mut patience = PATIENT;
    patience.quit = Duration::from_secs(30);
    patience.idle = Duration::from_millis(300);
    let mailer = mailer_with(&format!("smtp://{}", script.start().await), patience, None);
    for name in ["x", "y", "z"] {
        post(&mailer, &outgoing(&mailer, name)).await.unwrap();
    }
    assert_eq!((script.taken().len(), script.sessions()), (3, 1));
    script.ended(1).await;
    post(&mailer, &outgoing(&mailer, "later")).await.unwrap();
    assert_eq!((script.taken().len(), script.sessions()), (4, 2));
}

#[tokio::test]
async fn a_session_carries_no_more_than_its_measure() {
    let script = Script::good();
    let mailer = mailer(&format!("smtp://{}", script.start().await));
    for _ in 0..=MAILS_IN_A_SESSION {
        send(&mailer).await.unwrap();
    }
    assert_eq!((script.taken().len(), script.sessions()), (MAILS_IN_A_SESSION + 1, 2));
}

#[tokio::test]
async fn a_session_that_the_server_ended_meanwhile_costs_no_mail_and_raises_no_doubt() {
    for does in [Does::HangsUp, Does::Answers("421 idle for too long"), Does::Hangs] {
        let script = Script::new(When::Alive, does);
        let mut patience = PATIENT;
        if matches!(does, Does::Hangs) {
            patience.command = SHORT;
        }
        let mailer = mailer_with(&format!("smtp://{}", script.start().await), patience, None);
        for _ in 0..3 {
            let result = send(&mailer).await;
            assert_eq!(outcome(&result), Outcome::Sent, "{does:?}: {result:?}");
        }
        assert_eq!((script.taken().len(), script.sessions()), (3, 3), "{does:?}");
    }
}

#[tokio::test]
async fn a_session_in_which_something_went_wrong_carries_no_other_mail() {
    let script = Script::new(When::Mail, Does::Answers("554 spam")).times(1);
    let mailer = mailer(&format!("smtp://{}", script.start().await));
    assert_eq!(outcome(&send(&mailer).await), Outcome::Permanent);
    assert_eq!(outcome(&send(&mailer).await), Outcome::Sent);
    assert_eq!(script.sessions(), 2);
}

#[tokio::test]
async fn a_recipient_that_is_refused_for_now_holds_the_others_up_only_for_a_while() {
    let script = Script::new(When::RecipientLike("boss"), Does::Answers("450 greylisted"));
    let mailer = mailer(&format!("smtp://{}", script.start().await));
    let letter = mailer.write(&outgoing(&mailer, "x")).unwrap();
    let waits = mailer.send(&letter, Reach::Everybody).await;
    assert!(
        matches!(&waits, Err(MailFailure::Transient(why)) if why.contains("450")),
        "{waits:?}"
    );
    assert!(script.taken().is_empty());
    let refused = mailer.send(&letter, Reach::WhoIsTaken).await.unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].address, "boss@example.com");
    assert_eq!(script.taken().len(), 1);
    // Where nobody is taken the mail waits on.
    let script = Script::new(When::RecipientLike(""), Does::Answers("421 closing"));
    let server = format!("smtp://{}", script.start().await);
    let nobody = mailer_with(&server, PATIENT, None)
        .send(&letter, Reach::WhoIsTaken)
        .await;
    assert!(matches!(&nobody, Err(MailFailure::Transient(_))), "{nobody:?}");
}
