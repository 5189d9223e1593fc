//! Carries webhooks to their receivers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Shared;
use super::hooks::{DeliveryReport, Outcome, Packet};

/// After this GitHub counts a delivery as failed, by its documentation.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of a receiver's answer is kept.
const ANSWER_KEPT: usize = 4_096;

/// When webhooks leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// A task posts them one after another as soon as they are there.
    Automatic,
    /// They wait until somebody calls [`super::Sandbox::deliver_next`] or the like.
    Manual,
}

/// Posts one packet and records what became of it.
pub(super) async fn carry(shared: &Shared, packet: Packet) -> DeliveryReport {
    let url = shared
        .lock()
        .hooks
        .iter()
        .find(|hook| hook.id == packet.hook)
        .and_then(|hook| hook.url.clone());
    let started = Instant::now();
    let outcome = match url {
        Some(url) => post(&shared.client, &url, &packet).await,
        None => Outcome::Unreachable,
    };
    let duration = started.elapsed().as_secs_f64();
    shared.lock().record_attempt(packet, duration, outcome)
}

async fn post(client: &reqwest::Client, url: &str, packet: &Packet) -> Outcome {
    let mut request = client.post(url).timeout(PATIENCE).body(packet.body.clone());
    for (name, value) in &packet.headers {
        request = request.header(name, value);
    }
    match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            match response.text().await {
                Ok(text) => Outcome::Answered {
                    status,
                    body: text.chars().take(ANSWER_KEPT).collect(),
                },
                Err(_) => Outcome::TimedOut,
            }
        }
        Err(error) if error.is_timeout() => Outcome::TimedOut,
        Err(_) => Outcome::Unreachable,
    }
}

/// Takes the oldest packet out of the queue, signed with its hook's present secret.
pub(super) fn take(shared: &Shared) -> Option<Packet> {
    // Not through `with`: that would wake the courier, who is the one that asks.
    let mut world = shared.lock();
    let mut packet = world.queue.pop_front()?;
    world.sign(&mut packet);
    Some(packet)
}

/// Posts what is queued whenever the sandbox delivers by itself, until it stops.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = shared.wake.notified() => {}
        }
        while shared.delivers_by_itself() {
            // Set before the packet leaves the queue: whoever looks in between must not take this for quiet.
            shared.under_way.store(true, Ordering::SeqCst);
            let Some(packet) = take(&shared) else { break };
            tokio::select! {
                () = shared.stop.cancelled() => return,
                _ = carry(&shared, packet) => {}
            }
        }
        shared.under_way.store(false, Ordering::SeqCst);
        shared.quiet.notify_waiters();
    }
}
