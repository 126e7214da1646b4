//! `halting-pty SOCKET PROGRAM [ARGUMENTS]`: runs a program in a pseudo terminal of its own and
//! relays it, halting its output where the test on the socket asks for.
//!
//! What is typed and the window's size always pass.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::halting::{Gate, Order};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, ExitCode};
use std::sync::{Arc, Condvar, Mutex};

/// Bytes read from the program at a time.
const CHUNK: usize = 16 * 1024;

/// Whether output flows.
#[derive(Default)]
struct Flow {
    gate: Gate,
    passed: u64,
    halted: bool,
}

/// The flow, and what tells of its changes.
type Shared = Arc<(Mutex<Flow>, Condvar)>;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(socket), Some(program)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: halting-pty SOCKET PROGRAM [ARGUMENTS]");
        return ExitCode::from(2);
    };
    let (master, mut child) = start(program, arguments);
    let before = make_raw();
    let flow = Shared::default();
    relay_input(&master);
    relay_size(&master);
    let listener = UnixListener::bind(socket).expect("the socket's path is free and short");
    let theirs = Arc::clone(&flow);
    let terminal = Arc::clone(&master);
    std::thread::spawn(move || listen(&listener, &theirs, &terminal));
    relay_output(&master, &flow);
    let status = child.wait().expect("a child");
    tcsetattr(std::io::stdin(), OptionalActions::Drain, &before).expect("a terminal");
    ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1))
}

/// The program in a new pseudo terminal of the same size.
fn start(program: OsString, arguments: impl Iterator<Item = OsString>) -> (Arc<File>, Child) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo terminal");
    grantpt(&master).expect("its right");
    unlockpt(&master).expect("its lock");
    let name = ptsname(&master, Vec::new()).expect("its name");
    let path = name.to_str().expect("a path");
    let size = tcgetwinsize(std::io::stdin()).expect("a terminal");
    tcsetwinsize(&master, size).expect("a size");
    let open = || File::options().read(true).write(true).open(path).expect("the other side");
    // `setsid` makes it the program's controlling terminal, for which there is no safe call here.
    let child = Command::new("setsid")
        .arg("--ctty")
        .arg(program)
        .args(arguments)
        .stdin(open())
        .stdout(open())
        .stderr(open())
        .spawn()
        .expect("setsid of util-linux");
    (Arc::new(File::from(master)), child)
}

fn make_raw() -> Termios {
    let before = tcgetattr(std::io::stdin()).expect("a terminal");
    let mut raw = before.clone();
    raw.make_raw();
    tcsetattr(std::io::stdin(), OptionalActions::Now, &raw).expect("a terminal");
    before
}

fn relay_input(master: &Arc<File>) {
    let master = Arc::clone(master);
    std::thread::spawn(move || std::io::copy(&mut std::io::stdin().lock(), &mut &*master));
}

fn relay_size(master: &Arc<File>) {
    let (mut changed, signal) = UnixStream::pair().expect("a pair");
    signal_hook::low_level::pipe::register(signal_hook::consts::SIGWINCH, signal)
        .expect("a signal");
    let master = Arc::clone(master);
    std::thread::spawn(move || {
        while changed.read_exact(&mut [0]).is_ok() {
            let size = tcgetwinsize(std::io::stdin()).expect("a terminal");
            tcsetwinsize(&*master, size).expect("a terminal");
        }
    });
}

/// Copies until the program and all that it started have closed their side.
fn relay_output(master: &File, (flow, changed): &(Mutex<Flow>, Condvar)) {
    let mut chunk = vec![0; CHUNK];
    let mut out = std::io::stdout().lock();
    while let Ok(length @ 1..) = (&mut &*master).read(&mut chunk) {
        let mut rest = &chunk[..length];
        while !rest.is_empty() {
            let mut now = flow.lock().expect("no poison");
            let (passing, halts) = now.gate.pass(rest);
            let (head, tail) = rest.split_at(passing);
            out.write_all(head).and_then(|()| out.flush()).expect("a terminal");
            now.passed += head.len() as u64;
            now.halted = halts;
            changed.notify_all();
            drop(changed.wait_while(now, |flow| flow.halted));
            rest = tail;
        }
    }
}

fn listen(listener: &UnixListener, flow: &Shared, master: &File) {
    for socket in listener.incoming().map_while(Result::ok) {
        let writer = Mutex::new(socket.try_clone().expect("a socket"));
        let writer = Arc::new(writer);
        for line in BufReader::new(socket).lines().map_while(Result::ok) {
            obey(Order::read(&line).expect("an order"), flow, master, &writer);
        }
    }
}

fn obey(order: Order, flow: &Shared, master: &File, writer: &Arc<Mutex<UnixStream>>) {
    let (state, changed) = &**flow;
    match order {
        Order::Halt(depth, nth) => {
            state.lock().expect("no poison").gate.ask(depth, nth);
            tell(writer, "armed");
            let (flow, writer) = (Arc::clone(flow), Arc::clone(writer));
            std::thread::spawn(move || tell_halt(&flow, &writer));
        }
        Order::Go => {
            // Before the output goes on, so that the next halt is told behind it.
            tell(writer, "going");
            state.lock().expect("no poison").halted = false;
            changed.notify_all();
        }
        Order::Passed => {
            let passed = state.lock().expect("no poison").passed;
            tell(writer, &format!("passed {passed}"));
        }
        Order::Size => {
            let size = tcgetwinsize(master).expect("a terminal");
            tell(writer, &format!("size {} {}", size.ws_col, size.ws_row));
        }
    }
}

fn tell_halt((state, changed): &(Mutex<Flow>, Condvar), writer: &Mutex<UnixStream>) {
    let now = state.lock().expect("no poison");
    let now = changed.wait_while(now, |flow| !flow.halted).expect("no poison");
    tell(writer, &format!("halted {}", now.passed));
}

/// The test may be gone; then nobody waits for the answer.
fn tell(writer: &Mutex<UnixStream>, line: &str) {
    let _ = writeln!(writer.lock().expect("no poison"), "{line}");
}
