//! The way from a machine to its control plane, which can be cut and mended.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What passes now; nothing can while the way is cut.
enum State {
    Open(Vec<TcpStream>),
    Cut,
    Over,
}

/// A proxy in front of a port of loopback.
pub(crate) struct Way {
    port: u16,
    state: Arc<Mutex<State>>,
    listener: Option<JoinHandle<()>>,
}

impl Way {
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let own = listener.local_addr().expect("an address").port();
        let state = Arc::new(Mutex::new(State::Open(Vec::new())));
        let theirs = Arc::clone(&state);
        let listener = std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                match &mut *theirs.lock().expect("no poison") {
                    State::Open(carried) => carried.extend(carry(client, port)),
                    State::Cut => {}
                    State::Over => return,
                }
            }
        });
        Self { port: own, state, listener: Some(listener) }
    }

    /// Where the way begins.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends every connection; whoever comes anew is hung up on.
    pub(crate) fn cut(&self) {
        self.become_(State::Cut);
    }

    pub(crate) fn mend(&self) {
        self.become_(State::Open(Vec::new()));
    }

    fn become_(&self, state: State) {
        let before = std::mem::replace(&mut *self.state.lock().expect("no poison"), state);
        if let State::Open(carried) = before {
            carried.iter().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.become_(State::Over);
        // Who waits for clients looks up when one comes.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

/// Carries bytes in both directions until either end closes; the streams, for who wants to end it.
fn carry(client: TcpStream, port: u16) -> Vec<TcpStream> {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { return Vec::new() };
    let copy = |stream: &TcpStream| stream.try_clone().expect("a descriptor");
    let kept = vec![copy(&client), copy(&server)];
    for (mut from, mut to) in [(copy(&client), copy(&server)), (server, client)] {
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
    kept
}
