//! A mail server of another maker, in this process.
#![allow(dead_code, reason = "each of the two that use it looks at other things")]

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use mailin_embedded::{Handler, Response, response};

/// What a mail server took.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    pub from: String,
    pub to: Vec<String>,
    pub raw: Vec<u8>,
}

#[derive(Clone, Default)]
pub struct Postbox {
    current: Taken,
    taken: Arc<Mutex<Vec<Taken>>>,
}

impl Handler for Postbox {
    fn mail(&mut self, _: IpAddr, _: &str, from: &str) -> Response {
        self.current = Taken {
            from: from.to_owned(),
            ..Taken::default()
        };
        response::OK
    }

    fn auth_plain(&mut self, _: &str, user: &str, password: &str) -> Response {
        match (user, password) {
            ("bot@example.org", "p@ss") => response::AUTH_OK,
            _ => response::INVALID_CREDENTIALS,
        }
    }

    fn rcpt(&mut self, to: &str) -> Response {
        if to.starts_with("gone") {
            return response::NO_MAILBOX;
        }
        self.current.to.push(to.to_owned());
        response::OK
    }

    fn data(&mut self, line: &[u8]) -> std::io::Result<()> {
        self.current.raw.extend_from_slice(line);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        self.taken.lock().unwrap().push(std::mem::take(&mut self.current));
        response::OK
    }
}

/// Serves until the test's process ends: the server has no way to stop.
pub fn real_server() -> (SocketAddr, Arc<Mutex<Vec<Taken>>>) {
    real_server_with(|_| {})
}

pub fn real_server_with(
    prepare: impl FnOnce(&mut mailin_embedded::Server<Postbox>) + Send + 'static,
) -> (SocketAddr, Arc<Mutex<Vec<Taken>>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let postbox = Postbox::default();
    let taken = postbox.taken.clone();
    std::thread::spawn(move || {
        let mut server = mailin_embedded::Server::new(postbox);
        server.with_name("mx.example.org").with_tcp_listener(listener);
        prepare(&mut server);
        server.serve().unwrap();
    });
    (address, taken)
}
