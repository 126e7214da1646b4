//! Fixed work of the gateway's core, without I/O beyond one file: for counting instructions.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chatcode_gateway::session::modes::Modes;
use chatcode_gateway::session::snapshot;
use chatcode_gateway::session::stream::Out;
use chatcode_gateway::session::{Place, Remembered, Session};
use chatcode_gateway::tmux::parser::{Message, Parser};
use chatcode_gateway::tmux::version::Version;
use protocol::frame::Frame;
use protocol::limits::SNAPSHOT_BYTES;
use std::hint::black_box;

/// tmux cuts its lines of output there.
const LINE_BYTES: usize = 2_730;
/// Bytes of one read from a control client.
const READ_BYTES: usize = 64 * 1024;
/// A screen of 200 × 50 and its history.
const LINES: usize = 1_000;
const ROWS: usize = 50;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, work, file] = arguments.as_slice() else { panic!("bench-core WORK FILE") };
    let content = std::fs::read(file).expect("a file");
    // Also where it is not needed, so that the work alone makes the difference.
    let said = as_tmux_says(&content);
    match work.as_str() {
        "read" => drop(black_box((content, said))),
        "parse" => parse(&said),
        "track" => track(&content),
        "stream" => stream(&said),
        "snapshot" => take_snapshot(&content),
        other => panic!("no work called {other}"),
    }
}

fn as_tmux_says(content: &[u8]) -> Vec<u8> {
    let mut said = Vec::with_capacity(content.len() * 3 / 2);
    for line in content.chunks(LINE_BYTES) {
        said.extend_from_slice(b"%output %1 ");
        for &byte in line {
            if byte < 0x20 || byte == b'\\' {
                said.extend([b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]);
            } else {
                said.push(byte);
            }
        }
        said.push(b'\n');
    }
    said
}

fn parse(said: &[u8]) {
    let mut parser = Parser::default();
    let mut bytes = 0;
    for read in said.chunks(READ_BYTES) {
        parser.feed(read, |message| {
            if let Message::Output(_, output) = message {
                bytes += black_box(output).len();
            }
        });
    }
    assert!(bytes > 0, "output was parsed");
}

fn track(content: &[u8]) {
    let mut modes = Modes::default();
    for read in content.chunks(LINE_BYTES) {
        modes.feed(black_box(read));
        black_box(modes.take_changed());
    }
}

/// A session whose viewer acks every frame at once.
fn stream(said: &[u8]) {
    let place =
        Place { session: 1, window: 1, pane: 1, cols: 200, rows: 50, window_size: (200, 50) };
    let can = Version::read("tmux 3.3a").expect("a version").capabilities();
    let mut session = Session::new(1, place, can, "/nonexistent".into(), &Remembered::default(), 0);
    session.on_tmux(b"%begin 1 0 0\n%end 1 0 0\n", 0);
    session.attach("a".to_owned(), Some(1), None, 0);
    let (mut now, mut sent, mut rest) = (0, 0, said);
    while !rest.is_empty() {
        // Whole lines: the model's replies must not come within one.
        let end = rest.iter().skip(READ_BYTES).position(|&byte| byte == b'\n');
        let (read, later) = rest.split_at(end.map_or(rest.len(), |at| at + READ_BYTES + 1));
        rest = later;
        now += 5;
        session.on_tmux(read, now);
        reply(&mut session, now);
        sent += send(&mut session, now);
    }
    sent += send(&mut session, now + 1_000);
    assert!(sent > said.len() / 4, "{sent} bytes of output were sent");
}

/// What tmux answers to all that it was told: every command has its reply.
fn reply(session: &mut Session, now: u64) {
    let told = String::from_utf8(session.take_to_tmux()).expect("text");
    for (number, command) in told.lines().flat_map(|line| line.split(" ; ")).enumerate() {
        let place = command.starts_with("list-panes");
        let body = if place { "11 @1 %1 200 50\n" } else { "" };
        let text = format!("%begin 1 {number} 1\n{body}%end 1 {number} 1\n");
        session.on_tmux(text.as_bytes(), now);
    }
}

fn send(session: &mut Session, now: u64) -> usize {
    let mut sent = 0;
    while let Some(out) = session.next_out(now) {
        if let Out::Frame(bytes) = black_box(out) {
            let frame = Frame::decode(&bytes).expect("a frame");
            sent += frame.payload.len();
            session.ack(frame.seq.wrapping_add(frame.payload.len() as u32), now);
        }
    }
    sent
}

fn take_snapshot(content: &[u8]) {
    let line = |line: &[u8]| [b"\x1b[1;32m", &line[..line.len().min(150)], b"\x1b[m\n"].concat();
    let lines: Vec<Vec<u8>> = content.split(|&byte| byte == b'\n').map(line).collect();
    let history = lines.iter().cycle().take(LINES).flatten().copied().collect();
    let visible = lines.iter().cycle().take(ROWS).flatten().copied().collect();
    let state = b"200|50|2|23|1000|0|0|0|1|0|0|0|0|0|0|0|0|0|1|0|49|8,16,24\n".to_vec();
    let replies = [state, b"\n".to_vec(), history, b"\n".to_vec(), visible];
    let snapshot = snapshot::build(&replies, &Modes::default(), LINES as u32, SNAPSHOT_BYTES)
        .expect("a snapshot");
    assert!(black_box(snapshot).data.len() > LINES, "a snapshot was built");
}
