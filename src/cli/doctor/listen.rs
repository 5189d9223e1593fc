//! Whether a server could listen where it is told to.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::findings::Findings;

const AREA: &str = "listen";

/// How long whoever listens there already may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(3);

/// Listens there for a moment; where somebody does already, asks whether it is a server of this program.
pub(super) async fn look(address: SocketAddr, findings: &mut Findings) {
    match TcpListener::bind(address).await {
        Ok(_) => findings.fine(AREA, format!("{address} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => match lives(address).await {
            true => findings.fine(AREA, format!("a server answers at {address}")),
            false => findings.wrong(
                AREA,
                format!("something else than this program listens at {address}"),
                "stop it, or choose another address in COUNTERSIGN_LISTEN",
            ),
        },
        Err(error) => findings.wrong(
            AREA,
            format!("{address} cannot be listened on ({error})"),
            "choose an address of this machine in COUNTERSIGN_LISTEN, and a port that this user may take",
        ),
    }
}

/// Whether `/livez` is answered there as this program answers it.
async fn lives(address: SocketAddr) -> bool {
    let asked = async {
        let mut connection = TcpStream::connect(address).await?;
        connection
            .write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await?;
        let mut answer = Vec::new();
        connection.take(4096).read_to_end(&mut answer).await?;
        io::Result::Ok(answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(b"\r\n\r\nok\n"))
    };
    matches!(tokio::time::timeout(PATIENCE, asked).await, Ok(Ok(true)))
}
