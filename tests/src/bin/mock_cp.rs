//! `mock-cp`: a control plane in the terminal. Prints what a gateway says, sends what is typed.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::connection::{Connection, Order, Received};
use integration::mock_cp::MockCp;
use protocol::commands::{
    Command, GatewayWatch, SessionAck, SessionAttach, SessionCreate, SessionDetach, SessionEnd,
    SessionInput, SessionPaste, SessionResize, SessionSnapshotRequest,
};
use protocol::frame::{Frame, Kind};
use protocol::{BASE64, Engine as _, PING, PONG};
use std::collections::VecDeque;
use std::io::BufRead as _;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tungstenite::Message;

/// Time between two looks at the keyboard.
const LOOK: Duration = Duration::from_millis(20);

/// How long a script waits for the ack of one command before it goes on.
const ACK: Duration = Duration::from_secs(10);

/// Longest text that is printed of a frame, in characters.
const SHOWN: usize = 300;

const HELP: &str = "\
  create ID [AGENT] [WORKDIR]   attach ID [SEQ]      detach ID       end ID
  line ID TEXT (with Enter)     input ID TEXT (\\r \\n \\t \\e \\xHH)    paste ID TEXT
  resize ID COLS ROWS           ack ID SEQ           snapshot ID [LINES]
  watch on|off                  {\"type\": …}  (any JSON, sent as it is)
  auto on|off (acks by itself)  stall on|off         close CODE      cut
  wait SECONDS                  help                 quit
";

fn main() {
    let mut port = 0;
    let mut script = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--port", Some(value)) => port = value.parse().expect("--port takes a number"),
            ("--script", Some(value)) => script = Some(value),
            _ => {
                eprintln!("usage: cargo xtask mock-cp [--port N] [--script FILE]\n\n{HELP}");
                std::process::exit(2);
            }
        }
    }
    let cp = MockCp::bind(port, None).expect("the port is free");
    println!("GATEWAY_CP_URL={} — waiting for a gateway; help lists the commands", cp.url());
    let lines = read_lines(script);
    let mut desk = Desk::default();
    while !desk.quit {
        if let Some((handshake, connection)) = cp.accept_connection(LOOK) {
            println!("● {} {}", handshake.path, handshake.authorization.unwrap_or_default());
            desk.connection = Some(connection);
        }
        desk.turn(&lines);
    }
}

/// Lines of the script, then of the keyboard.
fn read_lines(script: Option<String>) -> Receiver<String> {
    let (found, lines) = channel();
    std::thread::spawn(move || {
        if let Some(path) = script {
            let text = std::fs::read_to_string(&path).expect("the script is there");
            for line in text.lines().map(str::trim) {
                if !line.is_empty() && !line.starts_with('#') {
                    let _ = found.send(line.to_owned());
                }
            }
        }
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let _ = found.send(line);
        }
    });
    lines
}

/// The state of the conversation.
struct Desk {
    connection: Option<Connection>,
    waiting: VecDeque<String>,
    /// Request whose ack comes before the next line.
    unanswered: Option<(String, Instant)>,
    wait_until: Option<Instant>,
    requests: u32,
    acks: bool,
    quit: bool,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            connection: None,
            waiting: VecDeque::new(),
            unanswered: None,
            wait_until: None,
            requests: 0,
            acks: true,
            quit: false,
        }
    }
}

impl Desk {
    fn turn(&mut self, lines: &Receiver<String>) {
        self.waiting.extend(lines.try_iter());
        while let Some((_, received)) = self.connection.as_ref().and_then(|connection| {
            // Waits a little, so that the loop does not spin while a gateway is connected.
            connection.incoming.recv_timeout(LOOK).ok()
        }) {
            self.show(received);
        }
        if self.unanswered.as_ref().is_some_and(|(_, since)| since.elapsed() > ACK) {
            println!("! no ack");
            self.unanswered = None;
        }
        let waits = self.wait_until.is_some_and(|until| Instant::now() < until);
        if self.connection.is_some()
            && self.unanswered.is_none()
            && !waits
            && let Some(line) = self.waiting.pop_front()
            && let Err(error) = self.obey(line.trim())
        {
            println!("! {error}");
        }
    }

    fn show(&mut self, received: Received) {
        match received {
            Received::Text(text) => {
                println!("← {text:.2000}");
                if text == PING {
                    self.send(Message::text(PONG));
                } else if let Err(wrong) = text_is_right(&text) {
                    println!("! against the schema: {wrong}");
                }
                if let Some((id, _)) = &self.unanswered
                    && text.contains(r#""type":"ack""#)
                    && text.contains(&format!("\"request_id\":\"{id}\""))
                {
                    self.unanswered = None;
                }
            }
            Received::Binary(bytes) => self.show_frame(&bytes),
            Received::Closed(code) => println!("● closed {code:?}"),
            Received::Lost(why) => {
                println!("● lost: {why}");
                self.connection = None;
                self.unanswered = None;
            }
        }
    }

    fn show_frame(&self, bytes: &[u8]) {
        match Frame::decode(bytes) {
            Ok(Frame { kind: Kind::Output, id, seq, payload }) => {
                let text: String = payload.escape_ascii().to_string().chars().take(SHOWN).collect();
                println!("← session {id} seq {seq} +{}  {text}", payload.len());
                if self.acks {
                    let length = u32::try_from(payload.len()).unwrap_or_default();
                    let ack = SessionAck { session_id: id, seq: seq.wrapping_add(length) };
                    self.send(Message::text(Command::from(ack).to_json(None)));
                }
            }
            other => println!("← {other:?}"),
        }
    }

    fn send(&self, message: Message) {
        if let Some(connection) = &self.connection {
            connection.order(Order::Send(message));
        }
    }

    fn order(&self, order: Order) {
        if let Some(connection) = &self.connection {
            connection.order(order);
        }
    }

    fn obey(&mut self, line: &str) -> Result<(), String> {
        if line.starts_with('{') {
            println!("→ {line}");
            self.send(Message::text(line));
            return Ok(());
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" => {}
            "help" => print!("{HELP}"),
            "quit" => self.quit = true,
            "auto" => self.acks = rest == "on",
            "stall" => self.order(Order::Stall(rest == "on")),
            "cut" => self.order(Order::Cut),
            "close" => self.order(Order::Close(number(rest)?, "by hand")),
            "wait" => {
                let seconds = rest.parse().map_err(|_| "wait SECONDS")?;
                self.wait_until = Some(Instant::now() + Duration::from_secs_f64(seconds));
            }
            _ => self.command(&command(word, rest)?),
        }
        Ok(())
    }

    fn command(&mut self, command: &Command) {
        self.requests += 1;
        let id = format!("m{}", self.requests);
        let acked = !Command::is_unacked(command.name());
        let text = command.to_json(acked.then_some(id.as_str()));
        println!("→ {text}");
        self.send(Message::text(text));
        if acked {
            self.unanswered = Some((id, Instant::now()));
        }
    }
}

/// The schema's word on a gateway's text.
fn text_is_right(text: &str) -> Result<(), String> {
    if text == PONG { Ok(()) } else { integration::schema::check_event(text) }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| format!("no number: {text:?}"))
}

/// Builds the command that a typed line names.
fn command(word: &str, rest: &str) -> Result<Command, String> {
    if word == "watch" {
        return Ok(GatewayWatch { on: rest == "on" }.into());
    }
    let (id, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let session_id: u32 = number(id)?;
    let optional = || if rest.is_empty() { Ok(None) } else { number(rest).map(Some) };
    Ok(match word {
        "create" => create(session_id, rest).into(),
        "attach" => {
            SessionAttach { session_id, resume_seq: optional()?, history_lines: None }.into()
        }
        "detach" => SessionDetach { session_id }.into(),
        "end" => SessionEnd { session_id }.into(),
        "line" => SessionInput { session_id, data: encode(&format!("{rest}\\r"))? }.into(),
        "input" => SessionInput { session_id, data: encode(rest)? }.into(),
        "paste" => SessionPaste { session_id, data: encode(rest)? }.into(),
        "resize" => {
            let (cols, rows) = rest.split_once(' ').ok_or("resize ID COLS ROWS")?;
            SessionResize { session_id, cols: number(cols)?, rows: number(rows)? }.into()
        }
        "ack" => SessionAck { session_id, seq: number(rest)? }.into(),
        "snapshot" => SessionSnapshotRequest { session_id, history_lines: optional()? }.into(),
        other => return Err(format!("no command {other}; help lists them")),
    })
}

fn create(session_id: u32, rest: &str) -> SessionCreate {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    SessionCreate {
        session_id,
        agent: words.next().unwrap_or("none").to_owned(),
        workdir: words.next().map_or_else(|| format!("work-{session_id}"), str::to_owned),
        name: format!("session {session_id}"),
        agent_config: None,
        env: None,
        cols: 80,
        rows: 24,
    }
}

/// Base64 of a text with `\r \n \t \e \\ \xHH` in it.
fn encode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        bytes.push(match rest.next() {
            Some('r') => b'\r',
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('e') => 0x1b,
            Some('\\') => b'\\',
            Some('x') => {
                let digits: String = rest.by_ref().take(2).collect();
                u8::from_str_radix(&digits, 16).map_err(|_| "\\x takes two hex digits")?
            }
            _ => return Err("escapes are \\r \\n \\t \\e \\\\ \\xHH".to_owned()),
        });
    }
    Ok(BASE64.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_lines_become_commands() {
        let attach = SessionAttach { session_id: 7, resume_seq: Some(9), history_lines: None };
        assert_eq!(command("attach", "7 9"), Ok(attach.into()));
        let input = SessionInput { session_id: 7, data: BASE64.encode(b"a b\r\x1b\xff\\") };
        assert_eq!(command("input", "7 a b\\r\\e\\xff\\\\"), Ok(input.into()));
        assert!(command("fly", "7").is_err());
        assert!(command("attach", "x").is_err());
    }
}
