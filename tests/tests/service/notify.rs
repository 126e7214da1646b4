//! What systemd is told, heard on a real socket.

use integration::fixture::Stage;
use integration::gateway::Gateway;
use integration::mock_cp::{Answer, MockCp};
use integration::process::signal;
use integration::tempdir::TempDir;
use integration::{PATIENCE, eventually};
use rustix::process::Signal;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::{Duration, Instant};

/// What the manager would wait for; half of it is the pace of the signs of life.
const WATCHDOG: Duration = Duration::from_secs(2);

/// The manager's end.
struct Ear {
    socket: UnixDatagram,
    heard: Vec<(Instant, String)>,
}

impl Ear {
    fn new(socket: UnixDatagram) -> Self {
        socket.set_nonblocking(true).expect("set");
        Self { socket, heard: Vec::new() }
    }

    fn listen(&mut self) {
        let mut bytes = [0; 1000];
        while let Ok(length) = self.socket.recv(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            self.heard.extend(text.lines().map(|line| (Instant::now(), line.to_owned())));
        }
    }

    fn count(&mut self, start: &str) -> usize {
        self.listen();
        self.heard.iter().filter(|(_, line)| line.starts_with(start)).count()
    }

    fn expect(&mut self, start: &str, count: usize) {
        eventually(start, PATIENCE, || (self.count(start) >= count).then_some(()));
    }
}

fn told(gateway: &mut Gateway, address: &str, watchdog: bool) {
    gateway.set("NOTIFY_SOCKET", address);
    if watchdog {
        gateway.set("WATCHDOG_USEC", &WATCHDOG.as_micros().to_string());
    }
}

#[test]
fn the_manager_hears_of_readiness_life_reload_and_end() {
    let place = TempDir::new();
    let path = place.join("notify");
    let mut ear = Ear::new(UnixDatagram::bind(&path).expect("a socket"));
    let cp = MockCp::new();
    let mut gateway = Gateway::new(&cp.url());
    told(&mut gateway, &path.to_string_lossy(), true);
    gateway.run();
    ear.expect("READY=1", 1);
    let mut stage = Stage { link: cp.accept(), gateway, cp };
    ear.expect("STATUS=", 1);
    stage.open(1, 120, 24);
    eventually("the status follows", PATIENCE, || {
        let wanted = format!("STATUS={}, 1 session, linked", env!("CARGO_PKG_VERSION"));
        (ear.count(&wanted) == 1).then_some(())
    });

    // Six signs of life while the sessions rest: a second from one to the next, not more and,
    // as far as this machine is quick enough, not less.
    let from = ear.count("WATCHDOG=1");
    ear.expect("WATCHDOG=1", from + 6);
    let signs: Vec<Instant> = ear
        .heard
        .iter()
        .filter(|(_, line)| line == "WATCHDOG=1")
        .skip(from)
        .map(|(at, _)| *at)
        .collect();
    let took = signs[signs.len() - 1] - signs[0];
    assert!(took >= WATCHDOG / 2 * 5 - Duration::from_millis(100), "{took:?}");
    assert!(took < WATCHDOG * 5, "{took:?}");

    let pid = stage.gateway.process().id();
    signal(pid, Signal::HUP);
    ear.expect("READY=1", 2);
    let about = |line: &String| !line.starts_with("WATCHDOG") && !line.starts_with("STATUS");
    let lines: Vec<String> = ear.heard.iter().map(|(_, line)| line.clone()).filter(about).collect();
    let [_, reloading, monotonic, _] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(reloading, "RELOADING=1");
    let at: u64 = monotonic.strip_prefix("MONOTONIC_USEC=").expect("a time").parse().unwrap();
    assert!(at > 0);

    // A session knows nothing of it.
    stage.type_in(1, "env | grep -c -e NOTIFY_SOCKET -e WATCHDOG; echo end-$((1+1))\r");
    let seen = stage.expect(1, "end-2");
    assert!(String::from_utf8_lossy(&seen).contains("\r0\r\n"), "{seen:?}");

    assert!(stage.gateway.process().terminate().success());
    ear.expect("STOPPING=1", 1);
    assert_eq!(ear.heard.last().map(|(_, line)| line.as_str()), Some("STOPPING=1"));
}

#[test]
fn ready_needs_no_link_and_an_abstract_socket_will_do() {
    let cp = MockCp::new();
    cp.answer(Answer::Refuse(503, Some(300)));
    let mut gateway = Gateway::new(&cp.url());
    let name = format!("chatcode-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("a name");
    let mut ear = Ear::new(UnixDatagram::bind_addr(&address).expect("a socket"));
    told(&mut gateway, &format!("@{name}"), false);
    gateway.run();
    ear.expect("READY=1", 1);
    ear.expect(&format!("STATUS={}, 0 sessions, not linked", env!("CARGO_PKG_VERSION")), 1);
    assert_eq!(ear.count("WATCHDOG"), 0, "nobody waits for it");
}

#[test]
fn another_process_watchdog_or_a_socket_of_nobody_stops_nothing() {
    let cp = MockCp::new();
    let place = TempDir::new();
    let path = place.join("notify");
    let mut ear = Ear::new(UnixDatagram::bind(&path).expect("a socket"));
    let mut gateway = Gateway::new(&cp.url());
    told(&mut gateway, &path.to_string_lossy(), true);
    gateway.set("WATCHDOG_PID", "1");
    gateway.run();
    cp.accept();
    ear.expect("READY=1", 1);
    assert_eq!(ear.count("WATCHDOG"), 0);
    told(&mut gateway, "/nowhere/socket", false);
    gateway.run();
    cp.accept();
    assert!(gateway.log().contains("cannot reach the service manager"));
}
