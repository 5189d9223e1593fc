//! A mail server that does what it is told at one moment, and at every other what a good server does.
#![allow(dead_code, reason = "each of the two that use it tells it other things")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the server does at one moment.
#[derive(Debug, Clone, Copy)]
pub enum Does {
    Answers(&'static str),
    Hangs,
    HangsUp,
}

/// When it does it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    Greeting,
    Hello,
    Auth,
    Sender,
    Recipient,
    Data,
    Mail,
    /// A recipient whose address begins so.
    RecipientLike(&'static str),
    /// The question whether a session is still alive.
    Alive,
}

/// What the server said.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Said {
    Good,
    AsTold,
}

/// A mail as it was handed over, whatever the server then said.
#[derive(Debug, Clone, PartialEq)]
pub struct Handed {
    pub to: Vec<String>,
    pub raw: String,
}

#[derive(Clone)]
pub struct Script {
    pub when: When,
    pub does: Does,
    pub extensions: &'static str,
    /// How often it still does it.
    left: Arc<AtomicUsize>,
    handed: Arc<Mutex<Vec<Handed>>>,
    sessions: Arc<AtomicUsize>,
    ended: Arc<tokio::sync::Semaphore>,
}

impl Script {
    pub fn new(when: When, does: Does) -> Self {
        Self {
            when,
            does,
            extensions: "250-8BITMIME\r\n",
            left: Arc::new(AtomicUsize::new(usize::MAX)),
            handed: Arc::default(),
            sessions: Arc::default(),
            ended: Arc::new(tokio::sync::Semaphore::new(0)),
        }
    }

    /// A good server.
    pub fn good() -> Self {
        Self::new(When::Greeting, Does::Answers("220 mx.example.org"))
    }

    /// Only the first so many times.
    pub fn times(self, times: usize) -> Self {
        self.left.store(times, Ordering::SeqCst);
        self
    }

    /// What was handed over, oldest first.
    pub fn taken(&self) -> Vec<Handed> {
        self.handed.lock().unwrap().clone()
    }

    /// How many sessions began.
    pub fn sessions(&self) -> usize {
        self.sessions.load(Ordering::SeqCst)
    }

    /// Waits until so many sessions have ended by a goodbye.
    pub async fn ended(&self, sessions: u32) {
        self.ended.acquire_many(sessions).await.unwrap().forget();
    }

    pub async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let script = script.clone();
                script.sessions.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move { script.talk(stream).await });
            }
        });
        address
    }

    fn is_now(&self, when: When) -> bool {
        let one_less = |left: usize| match left {
            usize::MAX => Some(left),
            left => left.checked_sub(1),
        };
        when == self.when
            && self
                .left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
                .is_ok()
    }

    /// Answers, or gives up the connection (`None`).
    async fn say(&self, stream: &mut BufReader<TcpStream>, when: When, good: &str) -> Option<Said> {
        let is_now = self.is_now(when);
        let answer = match (is_now, self.does) {
            (true, Does::Answers(answer)) => answer,
            (true, Does::Hangs) => std::future::pending().await,
            (true, Does::HangsUp) => return None,
            (false, _) => good,
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        Some(if is_now { Said::AsTold } else { Said::Good })
    }

    async fn talk(self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        let mut to = Vec::new();
        self.say(&mut stream, When::Greeting, "220 mx.example.org").await?;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let verb = line.split([' ', '\r']).next()?;
            match verb {
                "EHLO" => {
                    let good = format!("250-mx.example.org\r\n{}250 HELP", self.extensions);
                    self.say(&mut stream, When::Hello, &good).await?;
                }
                "AUTH" => drop(self.say(&mut stream, When::Auth, "235 welcome").await?),
                "NOOP" => drop(self.say(&mut stream, When::Alive, "250 here").await?),
                "MAIL" => {
                    to.clear();
                    self.say(&mut stream, When::Sender, "250 ok").await?;
                }
                "RCPT" => {
                    let address = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    let when = match self.when {
                        When::RecipientLike(start) if address.starts_with(start) => self.when,
                        _ => When::Recipient,
                    };
                    to.push(address);
                    self.say(&mut stream, when, "250 ok").await?;
                }
                "DATA" => {
                    if self.say(&mut stream, When::Data, "354 go on").await? == Said::AsTold {
                        continue;
                    }
                    let mut raw = String::new();
                    loop {
                        let mut line = String::new();
                        if stream.read_line(&mut line).await.ok()? == 0 {
                            return None;
                        }
                        if line == ".\r\n" {
                            break;
                        }
                        raw.push_str(&line);
                    }
                    let handed = Handed { to: to.clone(), raw };
                    self.handed.lock().unwrap().push(handed);
                    self.say(&mut stream, When::Mail, "250 queued").await?;
                }
                "QUIT" => {
                    stream.write_all(b"221 bye\r\n").await.ok()?;
                    self.ended.add_permits(1);
                    return None;
                }
                _ => stream.write_all(b"500 what?\r\n").await.ok()?,
            }
        }
    }
}
