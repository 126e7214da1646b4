//! A way with little bandwidth and much delay: a TCP proxy that shapes what passes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::time::{Duration, Instant};

/// Bytes that move at once: a packet.
const PACKET: usize = 1_448;

/// Packets that a router on the way may hold.
const QUEUE: usize = 64;

/// How the way is.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Bytes a second, in each direction.
    pub bytes_per_second: u64,
    /// Time of a round trip.
    pub round_trip: Duration,
}

/// A proxy in front of a port of loopback.
pub struct SlowWay {
    port: u16,
    stop: Arc<AtomicBool>,
    carried: Arc<AtomicU64>,
}

impl SlowWay {
    /// Opens the way to `port`. Connections end with the proxy.
    pub fn to(port: u16, way: Way) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let own = listener.local_addr().expect("an address").port();
        let stop = Arc::new(AtomicBool::new(false));
        let carried = Arc::new(AtomicU64::new(0));
        let (ends, counter) = (Arc::clone(&stop), Arc::clone(&carried));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let pair = || Some((client.try_clone().ok()?, server.try_clone().ok()?));
                let (Some(up), Some(down)) = (pair(), pair()) else { continue };
                carry(up.0, up.1, way, &ends, &counter);
                carry(down.1, down.0, way, &ends, &counter);
            }
        });
        Self { port: own, stop, carried }
    }

    /// Where the way begins.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Bytes that were carried so far, both directions together.
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }
}

impl Drop for SlowWay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the listener; the carriers look at every packet.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Carries one direction until its source ends.
fn carry(
    from: TcpStream,
    to: TcpStream,
    way: Way,
    stop: &Arc<AtomicBool>,
    counter: &Arc<AtomicU64>,
) {
    let (queue, router) = sync_channel::<Vec<u8>>(QUEUE);
    let (wire, arrivals) = channel();
    let (stop, counter) = (Arc::clone(stop), Arc::clone(counter));
    std::thread::spawn(move || take_in(from, &queue, &stop));
    std::thread::spawn(move || {
        let mut free_at = Instant::now();
        for packet in router {
            let bits = packet.len() as f64 / way.bytes_per_second as f64;
            free_at = free_at.max(Instant::now()) + Duration::from_secs_f64(bits);
            std::thread::sleep(free_at.saturating_duration_since(Instant::now()));
            counter.fetch_add(packet.len() as u64, Ordering::Relaxed);
            if wire.send((free_at + way.round_trip / 2, packet)).is_err() {
                return;
            }
        }
    });
    std::thread::spawn(move || hand_out(to, &arrivals));
}

fn take_in(mut from: TcpStream, queue: &std::sync::mpsc::SyncSender<Vec<u8>>, stop: &AtomicBool) {
    let mut packet = [0; PACKET];
    while let Ok(count) = from.read(&mut packet) {
        let stopped = stop.load(Ordering::Relaxed);
        if count == 0 || stopped || queue.send(packet[..count].to_vec()).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Read);
}

fn hand_out(mut to: TcpStream, arrivals: &Receiver<(Instant, Vec<u8>)>) {
    for (at, packet) in arrivals {
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        if to.write_all(&packet).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
