//! Where mail arrives: a folder, or a mail server in the test's process that takes everything.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// How the bot says that it does not know whether a mail was taken.
pub const IN_DOUBT: &str = "**The mail may have been sent or not**; it is not sent again.";

/// How it says that it was.
pub const SENT: &str = "The mail was sent.";

/// Where mail arrives.
pub enum Post {
    Folder(PathBuf),
    Server {
        url: String,
        taken: Arc<Mutex<Vec<String>>>,
    },
}

impl Post {
    pub fn folder(path: &Path) -> Self {
        Self::Folder(path.to_owned())
    }

    /// A server. It has no way to stop, and ends with the test's process.
    pub fn server() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let session = Session::default();
        let taken = Arc::clone(&session.taken);
        std::thread::spawn(move || {
            let mut server = mailin_embedded::Server::new(session);
            server.with_name("mx.example.org").with_tcp_listener(listener);
            server.serve().unwrap();
        });
        Self::Server { url, taken }
    }

    /// For the server's settings.
    pub fn url(&self) -> String {
        match self {
            Self::Folder(path) => format!("file:{}", path.display()),
            Self::Server { url, .. } => url.clone(),
        }
    }

    /// The Message-IDs of what arrived, as often as it did.
    pub fn arrived(&self) -> Vec<String> {
        match self {
            Self::Server { taken, .. } => taken.lock().unwrap().clone(),
            Self::Folder(path) => {
                let files = std::fs::read_dir(path).into_iter().flatten();
                let paths = files.map(|file| file.unwrap().path());
                let whole = paths.filter(|path| path.extension().is_some_and(|end| end == "eml"));
                whole
                    .map(|path| message_id(&std::fs::read_to_string(path).unwrap()))
                    .collect()
            }
        }
    }
}

/// What one client says.
#[derive(Clone, Default)]
struct Session {
    mail: Vec<u8>,
    taken: Arc<Mutex<Vec<String>>>,
}

impl mailin_embedded::Handler for Session {
    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        self.mail.extend_from_slice(line);
        Ok(())
    }

    fn data_end(&mut self) -> mailin_embedded::Response {
        let mail = std::mem::take(&mut self.mail);
        self.taken
            .lock()
            .unwrap()
            .push(message_id(&String::from_utf8_lossy(&mail)));
        mailin_embedded::response::OK
    }
}

fn message_id(mail: &str) -> String {
    let line = mail.lines().find_map(|line| line.strip_prefix("Message-ID:"));
    line.expect("every mail has a Message-ID").trim().to_owned()
}
