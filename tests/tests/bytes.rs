//! Bytes: what is typed or pasted reaches the program, what it prints reaches the reader.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::PATIENCE;
use integration::fixture::Stage;
use integration::patterns::{noise, printable_and_escapes, sha256};
use protocol::commands::SessionInput;
use protocol::events::Event;
use protocol::limits::{INPUT_BYTES, PASTE_BYTES};
use protocol::{BASE64, Engine as _};
use std::path::Path;
use std::time::Duration;

/// How long tens of megabytes may take through tmux on a loaded machine.
const BULK: Duration = Duration::from_secs(240);

/// Starts a program in session 1 that writes the next `length` input bytes to the file `name`.
fn record(stage: &mut Stage, name: &str, length: usize) {
    let script = stage.gateway.in_workdir(1, "record.sh");
    let text = format!(
        "printf '%b' \"$1\"; stty raw -echo; echo ready-to-read; dd of={name} bs=1 count={length} status=none; \
         stty sane; echo all-is-read\n"
    );
    std::fs::write(script, text).expect("the script is written");
    stage.open(1, 80, 24);
}

fn expect_recorded(stage: &mut Stage, name: &str, wanted: &[u8]) {
    let path = stage.gateway.in_workdir(1, name);
    let grown = |path: &Path| path.metadata().is_ok_and(|data| data.len() >= wanted.len() as u64);
    let deadline = std::time::Instant::now() + PATIENCE;
    while !grown(&path) && std::time::Instant::now() < deadline {
        // Refusals come as events, and a failure must show them.
        stage.take_for(Duration::from_millis(20));
    }
    let got = std::fs::read(path).expect("the recording");
    let first = got.iter().zip(wanted).position(|(a, b)| a != b);
    assert_eq!((got.len(), first), (wanted.len(), None), "length and first difference");
}

#[test]
fn every_byte_value_that_is_typed_arrives() {
    let mut stage = Stage::new();
    let wanted: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
    record(&mut stage, "typed", wanted.len());
    stage.type_in(1, "sh record.sh\r");
    stage.expect(1, "ready-to-read");
    // Cut into pieces of every kind: single bytes, then larger ones.
    for byte in &wanted[..100] {
        stage.type_in(1, [*byte]);
    }
    for piece in wanted[100..].chunks(70) {
        stage.type_in(1, piece);
    }
    expect_recorded(&mut stage, "typed", &wanted);
}

#[test]
fn a_megabyte_of_noise_that_is_pasted_arrives() {
    let mut stage = Stage::new();
    let wanted = noise(11, PASTE_BYTES);
    record(&mut stage, "pasted", wanted.len());
    stage.type_in(1, "sh record.sh\r");
    stage.expect(1, "ready-to-read");
    stage.paste(1, &wanted);
    expect_recorded(&mut stage, "pasted", &wanted);
}

#[test]
fn keys_and_pastes_keep_their_order() {
    let mut stage = Stage::new();
    let mut wanted = Vec::new();
    let pieces: Vec<Vec<u8>> = (0..40).map(|n| format!("<{n}>").repeat(20).into_bytes()).collect();
    pieces.iter().for_each(|piece| wanted.extend_from_slice(piece));
    record(&mut stage, "mixed", wanted.len());
    stage.type_in(1, "sh record.sh\r");
    stage.expect(1, "ready-to-read");
    for (n, piece) in pieces.iter().enumerate() {
        if n % 3 == 0 {
            let data = BASE64.encode(piece);
            stage.ask(protocol::commands::SessionPaste { session_id: 1, data });
        } else {
            stage.type_in(1, piece);
        }
    }
    expect_recorded(&mut stage, "mixed", &wanted);
}

#[test]
fn a_large_input_arrives() {
    let mut stage = Stage::new();
    let wanted = noise(12, INPUT_BYTES);
    record(&mut stage, "large", wanted.len());
    stage.type_in(1, "sh record.sh\r");
    stage.expect(1, "ready-to-read");
    stage.type_in(1, &wanted);
    expect_recorded(&mut stage, "large", &wanted);
}

#[test]
fn a_paste_is_bracketed_where_the_program_asked_for_it() {
    let mut stage = Stage::new();
    let wanted = b"\x1b[200~two\rlines\x1b[201~";
    record(&mut stage, "bracketed", wanted.len());
    stage.type_in(1, "sh record.sh '\\033[?2004h'\r");
    stage.expect(1, "ready-to-read");
    stage.paste(1, b"two\rlines");
    expect_recorded(&mut stage, "bracketed", wanted);
}

#[test]
fn a_semicolon_is_typed_like_any_other_key() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.type_in(1, "echo one;echo two\r");
    stage.expect(1, "one\r\ntwo\r\n");
    stage.type_in(1, "echo three;");
    stage.type_in(1, "\r");
    stage.expect(1, "three\r\n");
}

#[test]
fn too_much_at_once_is_refused() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    let data = BASE64.encode(noise(13, PASTE_BYTES + 1));
    let paste = protocol::commands::SessionPaste { session_id: 1, data };
    assert_eq!(stage.request(paste).expect_err("refused").code, "invalid_payload");
    let data = "not base64!".to_owned();
    let paste = protocol::commands::SessionPaste { session_id: 1, data };
    assert_eq!(stage.request(paste).expect_err("refused").code, "invalid_payload");
    stage.tell(SessionInput { session_id: 1, data: BASE64.encode(noise(13, INPUT_BYTES + 1)) });
    assert_eq!(session_error(&mut stage), "invalid_payload");
}

fn session_error(stage: &mut Stage) -> String {
    stage.event("session.error", |event| match event {
        Event::SessionError(error) => Some(error.code.clone()),
        _ => None,
    })
}

#[test]
fn input_that_nobody_reads_is_refused_when_it_is_too_much() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.open(2, 80, 24);
    stage.type_in(1, "stty raw -echo; echo deaf-$((1+1)); sleep 1000\r");
    stage.expect(1, "deaf-2");
    for _ in 0..12 {
        stage.type_in(1, vec![b'x'; INPUT_BYTES]);
    }
    assert_eq!(session_error(&mut stage), "input_full");
    stage.type_in(2, "echo other-$((1+1))\r");
    stage.expect(2, "other-2");
}

/// Runs `command` with its output unchanged by the terminal; what the reader got of it.
fn output_of(stage: &mut Stage, command: &str) -> Vec<u8> {
    // The marks are split here so that the echo of the command line does not hold them.
    let text = format!("stty raw -echo; printf '<<%s>>' BEGIN; {command}; printf '<<%s>>' END\n");
    std::fs::write(stage.gateway.in_workdir(1, "bulk.sh"), text).expect("written");
    stage.open(1, 120, 40);
    stage.stream(1).acking = integration::stream::Acking::Every(64 * 1024);
    stage.type_in(1, "sh bulk.sh\r");
    stage.expect(1, "<<BEGIN>>");
    let mut output = stage.expect_within(BULK, 1, "<<END>>");
    output.truncate(output.len() - "<<END>>".len());
    assert_eq!(stage.stream(1).lags, 0, "a reader that keeps up loses nothing");
    output
}

#[test]
fn two_million_lines_arrive() {
    let mut stage = Stage::new();
    let wanted: String = (1..=2_000_000).map(|n| format!("{n}\n")).collect();
    let got = output_of(&mut stage, "seq 1 2000000");
    assert_eq!(got.len(), wanted.len());
    assert_eq!(sha256(&got), sha256(wanted.as_bytes()));
}

#[test]
fn thirty_two_megabytes_of_text_and_escapes_arrive() {
    let mut stage = Stage::new();
    let wanted = printable_and_escapes(7, 32 * 1024 * 1024);
    std::fs::write(stage.gateway.in_workdir(1, "escapes"), &wanted).expect("written");
    let got = output_of(&mut stage, "cat escapes");
    assert_eq!(got.len(), wanted.len());
    assert_eq!(sha256(&got), sha256(&wanted));
}

#[test]
fn megabytes_of_every_byte_value_arrive() {
    let mut stage = Stage::new();
    let wanted = noise(17, 4 * 1024 * 1024);
    std::fs::write(stage.gateway.in_workdir(1, "noise"), &wanted).expect("written");
    let got = output_of(&mut stage, "cat noise");
    assert_eq!(got.len(), wanted.len());
    assert_eq!(sha256(&got), sha256(&wanted));
}
