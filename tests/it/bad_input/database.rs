//! Databases that cannot be used: a server that is too old, also one that comes late; a restore beside a server that runs.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Forged, holds};
use crate::cli::run_with;
use crate::postgres::cluster::Cluster;
use crate::start::{NOBODY, Program, one};

/// Says on the wire what PostgreSQL 14 says, up to the first question.
async fn fourteen(listener: TcpListener) {
    while let Ok((connection, _)) = listener.accept().await {
        tokio::spawn(greet(connection));
    }
}

/// <https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP>
async fn greet(mut connection: TcpStream) -> std::io::Result<()> {
    const SSL_REQUEST: u32 = 80_877_103;
    loop {
        let length = connection.read_u32().await?;
        let mut body = vec![0; usize::try_from(length).unwrap() - 4];
        connection.read_exact(&mut body).await?;
        if body[..4] != SSL_REQUEST.to_be_bytes() {
            break;
        }
        connection.write_all(b"N").await?;
    }
    let mut answer = Vec::new();
    let mut say = |kind: u8, body: &[u8]| {
        answer.push(kind);
        answer.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        answer.extend(body);
    };
    say(b'R', &0_u32.to_be_bytes());
    say(b'S', b"server_version\x0014.19\0");
    say(b'S', b"client_encoding\0UTF8\0");
    say(b'K', &[0; 8]);
    say(b'Z', b"I");
    connection.write_all(&answer).await?;
    // Whoever goes on asking gets no answer.
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).await.map(drop)
}

const TOO_OLD: [&str; 3] = ["is PostgreSQL 14", "15 or later is needed", "upgrade it"];

#[tokio::test]
async fn a_postgres_that_is_too_old_is_one_sentence_for_every_command() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://bot:hunter2@{}/countersign", listener.local_addr().unwrap());
    tokio::spawn(fourteen(listener));
    let program = Program::new(NOBODY).set("COUNTERSIGN_DATABASE_URL", &url);
    let refused = program.refuse().await;
    one(&refused, &TOO_OLD);
    assert!(!refused.errors[0].contains("hunter2"), "{refused:?}");
    for command in [&["list"][..], &["deliveries", "retry", "--all"], &["restore"]] {
        let (url, home) = (url.clone(), tempfile::tempdir().unwrap());
        let command = command.to_owned();
        let ran =
            tokio::task::spawn_blocking(move || run_with(home.path(), &[("COUNTERSIGN_DATABASE_URL", &url)], &command));
        let ran = ran.await.unwrap();
        assert_eq!(ran.code, 3, "{}", ran.err);
        holds(&ran.err, &TOO_OLD);
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_yet_is_asked_again_and_what_then_comes_is_judged() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("postgres://bot@{port}/countersign");
    // Another one, to be asked meanwhile.
    let listen = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let program = Program::new(NOBODY)
        .set("COUNTERSIGN_DATABASE_URL", &url)
        .set("COUNTERSIGN_LISTEN", &listen.to_string());
    let mut waiting = program.spawn();
    waiting.says("waiting for the database").await;
    waiting.says("cannot be reached").await;
    waiting.url = format!("http://{listen}");
    assert_eq!(waiting.get("/livez").await, (200, "ok\n".to_owned()));
    assert_eq!(waiting.get("/readyz").await.0, 503);
    let ping = Forged::signed("ping", "d-1", r#"{"zen":"Keep it logically awesome."}"#);
    assert_eq!(ping.post_to(&waiting.webhook()).await.status, 503);
    tokio::spawn(fourteen(TcpListener::bind(port).await.unwrap()));
    let (code, said) = waiting.end().await;
    assert_eq!(code, Some(3), "{said}");
    holds(&said, &TOO_OLD);
}

#[tokio::test]
async fn whoever_waits_for_a_database_can_be_told_to_stop() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let program = Program::new(NOBODY).set(
        "COUNTERSIGN_DATABASE_URL",
        &format!("postgres://bot@{port}/countersign"),
    );
    let mut waiting = program.spawn();
    waiting.says("cannot be reached").await;
    waiting.stop().await;
}

#[tokio::test]
async fn a_restored_postgres_is_not_put_in_doubt_under_a_server_that_runs() {
    let database = Cluster::shared().database();
    let program = Program::new(NOBODY).set("COUNTERSIGN_DATABASE_URL", &database.url());
    let running = program.start().await;
    let home = tempfile::tempdir().unwrap();
    let url = database.url();
    let restore = || run_with(home.path(), &[("COUNTERSIGN_DATABASE_URL", &url)], &["restore"]);
    let refused = restore();
    assert_eq!(refused.code, 1, "{}", refused.out);
    holds(
        &refused.err,
        &["a server is at work on this database", "stop every one of them"],
    );
    running.signal("-TERM");
    assert_eq!(running.end().await.0, Some(0));
    // As in a dump that was taken while a server worked.
    let until = (chrono::Utc::now() + chrono::TimeDelta::seconds(60)).timestamp_micros();
    database.ask(&format!(
        "INSERT INTO deliveries (id, event, lane, body, received_at, state, run_at, lease_owner, lease_until)
        VALUES ('d-7', 'ping', 'l', '', 0, 'leased', 0, 'gone', {until})"
    ));
    let refused = restore();
    assert_eq!(refused.code, 1, "{}", refused.out);
    holds(
        &refused.err,
        &[
            "no server is connected",
            "holds the delivery d-7 until 20",
            "run this command again then",
        ],
    );
    database.ask("UPDATE deliveries SET lease_until = 0");
    let done = restore();
    assert_eq!(done.code, 0, "{}", done.err);
}
