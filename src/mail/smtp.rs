//! Mail over SMTP (RFC 5321), step by step, so that every failure is known to stand before or after the moment from
//! which the server may have taken the mail.
//!
//! lettre's own transport bounds only the connecting, stops at the first refused recipient and cannot say where a
//! connection was lost; its connection, used here, leaves the steps to the caller.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lettre::address::{Address, Envelope};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::sync::Semaphore;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::{MailFailure, MailerSetup, Reach, Refused};
use crate::config::{Security, SmtpUrl};

/// Connections at the same time. Servers that receive much mail allow few from one sender.
const CONNECTIONS: usize = 2;

/// Mails in one session. Servers end a session that goes on for ever.
const MAILS_IN_A_SESSION: usize = 50;

/// How long each step may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For a place among the connections.
    pub place: Duration,
    /// Up to the greeting, TLS and login included.
    pub connect: Duration,
    /// One command before the mail itself.
    pub command: Duration,
    /// From the first byte of the mail to its answer. RFC 5321, 4.5.3.2.6 asks for ten minutes.
    pub data: Duration,
    /// The goodbye, when all is decided.
    pub quit: Duration,
    /// For the next mail, with a session that is open. Servers wait for five minutes (RFC 5321, 4.5.3.2.7).
    pub idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            place: Duration::from_secs(60),
            connect: Duration::from_secs(60),
            command: Duration::from_secs(60),
            data: Duration::from_secs(600),
            quit: Duration::from_secs(5),
            idle: Duration::from_secs(30),
        }
    }
}

/// A mail server.
pub(super) struct Server {
    url: SmtpUrl,
    credentials: Option<Credentials>,
    tls: Option<TlsParameters>,
    client: ClientId,
    patience: Patience,
    places: Semaphore,
    open: Sessions,
}

/// The sessions that are open and wait for the next mail; never more than there are places.
type Sessions = Arc<Mutex<Vec<Session>>>;

/// A conversation with the server, logged in.
struct Session {
    connection: AsyncSmtpConnection,
    mails: usize,
    waits_since: Instant,
}

impl Server {
    /// Prepares TLS with the system's certificates and, where given, one more; connects to nothing.
    pub fn new(url: &SmtpUrl, patience: Patience, trusted: Option<Certificate>) -> Result<Self, MailerSetup> {
        let tls = match url.security {
            Security::Plain => None,
            Security::StartTls | Security::ImplicitTls => {
                let mut builder = TlsParameters::builder(url.host.clone());
                if let Some(certificate) = trusted {
                    builder = builder.add_root_certificate(certificate);
                }
                Some(
                    builder
                        .build()
                        .map_err(|error| MailerSetup(format!("COUNTERSIGN_MAIL_URL: TLS cannot be set up: {error}")))?,
                )
            }
        };
        Ok(Self {
            url: url.clone(),
            credentials: url
                .credentials
                .as_ref()
                .map(|account| Credentials::new(account.user.clone(), account.password.expose().to_owned())),
            tls,
            client: ClientId::default(),
            patience,
            places: Semaphore::new(CONNECTIONS),
            open: Sessions::default(),
        })
    }

    /// Hands one mail over, in a session that is open or in a new one.
    pub async fn send(&self, envelope: &Envelope, raw: &[u8], reach: Reach) -> Result<Vec<Refused>, MailFailure> {
        let _place = timeout(self.patience.place, self.places.acquire())
            .await
            .map_err(|_| MailFailure::Transient("other mails are under way and take long".to_owned()))?
            .map_err(|error| MailFailure::Transient(error.to_string()))?;
        let mut session = self.session().await?;
        let outcome = self.converse(&mut session.connection, (envelope, raw), reach).await;
        session.mails += 1;
        match &outcome {
            Ok(_) if session.mails < MAILS_IN_A_SESSION => self.keep(session),
            // The mail's fate is decided; a server that is slow to say goodbye changes nothing.
            _ => drop(timeout(self.patience.quit, session.connection.abort()).await),
        }
        outcome
    }

    /// One that is open and still answers, or a new one. Nothing was sent yet: whatever fails here, the mail was not taken.
    async fn session(&self) -> Result<Session, MailFailure> {
        while let Some(mut session) = self.take() {
            let answers = timeout(self.patience.command, session.connection.test_connected()).await;
            if answers == Ok(true) {
                return Ok(session);
            }
        }
        let connection = self.within(self.patience.connect, "connecting", self.connect()).await?;
        Ok(Session {
            connection,
            mails: 0,
            waits_since: Instant::now(),
        })
    }

    fn take(&self) -> Option<Session> {
        locked(&self.open).pop()
    }

    /// Leaves a session open for the next mail. If none comes it is ended.
    fn keep(&self, mut session: Session) {
        session.waits_since = Instant::now();
        locked(&self.open).push(session);
        let (open, Patience { idle, quit, .. }) = (Arc::downgrade(&self.open), self.patience);
        tokio::spawn(async move {
            tokio::time::sleep(idle).await;
            let Some(open) = open.upgrade() else { return };
            let waited: Vec<Session> = {
                let mut open = locked(&open);
                open.extract_if(.., |session| session.waits_since.elapsed() >= idle)
                    .collect()
            };
            for mut session in waited {
                let _ = timeout(quit, session.connection.quit()).await;
            }
        });
    }

    /// Connects, logs in where that is configured, and says goodbye.
    pub async fn probe(&self) -> Result<String, MailFailure> {
        let mut connection = self.within(self.patience.connect, "connecting", self.connect()).await?;
        let _ = timeout(self.patience.quit, connection.quit()).await;
        let login = if self.credentials.is_some() {
            "takes the login"
        } else {
            "answers"
        };
        Ok(format!("{}:{} {login}", self.url.host, self.url.port))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let implicit = self.tls.clone().filter(|_| self.url.security == Security::ImplicitTls);
        let address = (self.url.host.as_str(), self.url.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, Some(self.patience.connect), &self.client, implicit, None)
                .await?;
        if let (Security::StartTls, Some(tls)) = (self.url.security, &self.tls) {
            connection.starttls(tls.clone(), &self.client).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection
                .auth(&[Mechanism::Plain, Mechanism::Login], credentials)
                .await?;
        }
        Ok(connection)
    }

    async fn converse(
        &self,
        connection: &mut AsyncSmtpConnection,
        (envelope, raw): (&Envelope, &[u8]),
        reach: Reach,
    ) -> Result<Vec<Refused>, MailFailure> {
        let sender = Mail::new(envelope.from().cloned(), parameters(connection, envelope, raw)?);
        self.within(self.patience.command, "MAIL FROM", connection.command(sender))
            .await?;
        let refused = self.recipients(connection, envelope.to(), reach).await?;
        self.within(self.patience.command, "DATA", connection.command(Data))
            .await?;
        // The connection ends the mail with a line break of its own: with this the server gets the very bytes.
        let raw = raw.strip_suffix(b"\r\n").unwrap_or(raw);
        // From here on a lost connection or silence does not say that the mail was not taken.
        match timeout(self.patience.data, connection.message(raw)).await {
            Ok(Ok(_)) => Ok(refused),
            Ok(Err(error)) if error.is_permanent() => Err(MailFailure::Permanent(error.to_string())),
            Ok(Err(error)) if error.is_transient() => Err(MailFailure::Transient(error.to_string())),
            Ok(Err(error)) => Err(MailFailure::Doubt(format!(
                "the connection was lost after the mail was handed over ({error})"
            ))),
            Err(_) => Err(MailFailure::Doubt(format!(
                "the server did not answer within {} s of the mail",
                self.patience.data.as_secs()
            ))),
        }
    }

    /// Names the recipients. One that is refused for good is set aside; what one that is refused for now means, `reach`
    /// says.
    async fn recipients(
        &self,
        connection: &mut AsyncSmtpConnection,
        addresses: &[Address],
        reach: Reach,
    ) -> Result<Vec<Refused>, MailFailure> {
        let mut refused = Vec::new();
        let mut some_for_now = false;
        for address in addresses {
            let command = connection.command(Rcpt::new(address.clone(), Vec::new()));
            let named = timeout(self.patience.command, command).await;
            match named {
                Ok(Err(error)) if error.is_permanent() || reach == Reach::WhoIsTaken && error.is_transient() => {
                    some_for_now |= error.is_transient();
                    refused.push(Refused {
                        address: address.to_string(),
                        answer: error.to_string(),
                    });
                }
                other => drop(self.step("RCPT TO", self.patience.command, other)?),
            }
        }
        if refused.len() == addresses.len() {
            let answers: Vec<_> = refused
                .iter()
                .map(|one| format!("{}: {}", one.address, one.answer))
                .collect();
            let all = format!("every recipient was refused: {}", answers.join("; "));
            return Err(match some_for_now {
                true => MailFailure::Transient(all),
                false => MailFailure::Permanent(all),
            });
        }
        Ok(refused)
    }

    /// One step before the mail itself: whatever fails here, the mail was not taken.
    async fn within<T>(
        &self,
        limit: Duration,
        step: &str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, MailFailure> {
        self.step(step, limit, timeout(limit, work).await)
    }

    fn step<T>(
        &self,
        step: &str,
        limit: Duration,
        outcome: Result<Result<T, Error>, Elapsed>,
    ) -> Result<T, MailFailure> {
        let at = format!("{}:{}, {step}", self.url.host, self.url.port);
        match outcome {
            Ok(Ok(value)) => Ok(value),
            // A client error is a demand of ours that the server does not meet (STARTTLS, a login method).
            Ok(Err(error)) if error.is_permanent() || error.is_client() => {
                Err(MailFailure::Permanent(format!("{at}: {error}")))
            }
            // What a server says in plain text is no message of TLS.
            Ok(Err(error)) if self.url.security == Security::ImplicitTls && said_plainly(&error) => {
                Err(MailFailure::Transient(format!(
                    "{at}: the port does not begin with TLS: write smtp://{}:{}, which asks for it by STARTTLS",
                    self.url.host, self.url.port
                )))
            }
            Ok(Err(error)) => Err(MailFailure::Transient(format!("{at}: {error}"))),
            Err(_) => Err(MailFailure::Transient(format!(
                "{at}: no answer within {} s",
                limit.as_secs()
            ))),
        }
    }
}

fn said_plainly(error: &Error) -> bool {
    let mut causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.any(|cause| cause.to_string().contains("InvalidContentType"))
}

fn locked(open: &Mutex<Vec<Session>>) -> std::sync::MutexGuard<'_, Vec<Session>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

fn parameters(
    connection: &AsyncSmtpConnection,
    envelope: &Envelope,
    raw: &[u8],
) -> Result<Vec<MailParameter>, MailFailure> {
    let server = connection.server_info();
    let lacks = |what: &str| MailFailure::Permanent(format!("the server does not offer {what}, which this mail needs"));
    let mut parameters = Vec::new();
    let ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
    if !envelope.from().is_none_or(ascii) || !envelope.to().iter().all(ascii) {
        if !server.supports_feature(Extension::SmtpUtfEight) {
            return Err(lacks("SMTPUTF8"));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !raw.is_ascii() {
        if !server.supports_feature(Extension::EightBitMime) {
            return Err(lacks("8BITMIME"));
        }
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    Ok(parameters)
}

#[cfg(test)]
#[path = "smtp_tests.rs"]
mod tests;
