//! A signal that ends the gateway: what it leaves in the log, and what `symbolize` makes of that.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::fixture::Stage;
use integration::gateway::binary;
use integration::process::signal;
use integration::{PATIENCE, eventually, repository};
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

const MESSAGE: &str = chatcode_gateway::os::fatal::MESSAGE;

/// Where `cargo xtask test` names a program that has faults on purpose, built as a release is.
const FAULTS: &str = "CHATCODE_FAULTS_BIN";

/// The lines behind a log, as a person gets them.
fn symbolized(log: &str, binary: &Path) -> Vec<String> {
    let debug = binary.with_added_extension("debug");
    let debug = if debug.is_file() { debug } else { binary.to_owned() };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--package", "xtask", "--", "symbolize", "--debug"]).arg(debug);
    command.current_dir(repository()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("cargo runs");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), log.as_bytes())
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && !text.is_empty(), "{log}");
    text.lines().map(ToOwned::to_owned).collect()
}

fn ended(stage: &mut Stage) -> ExitStatus {
    let gateway = stage.gateway.process().child();
    eventually("the gateway ends", PATIENCE, || gateway.try_wait().expect("a child"))
}

/// Waiting for events, as system calls of x86_64 (two) and of aarch64.
const EPOLL: [&str; 3] = ["232", "281", "22"];

/// Looks in a row at which a gateway that rests has waited.
const RESTS: u32 = 20;

/// The only fatal line of a log.
fn fatal_line(log: &str) -> String {
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(MESSAGE)).collect();
    assert_eq!(lines.len(), 1, "{log}");
    lines.concat()
}

#[test]
fn a_signal_leaves_a_line_and_ends_the_gateway_as_before() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    let pid = stage.gateway.process().id();
    // It has to be in its poll, where it is nearly always once it has nothing more to say.
    let mut looks = 0;
    eventually("the gateway rests", PATIENCE, || {
        let call = std::fs::read_to_string(format!("/proc/{pid}/syscall")).expect("it lives");
        let number = call.split(' ').next().unwrap_or_default();
        looks = if EPOLL.contains(&number) { looks + 1 } else { 0 };
        (looks == RESTS).then_some(())
    });
    signal(pid, Signal::SEGV);
    let status = ended(&mut stage);
    assert_eq!(status.signal(), Some(Signal::SEGV.as_raw()), "{status}");
    let line = fatal_line(&stage.gateway.log());
    assert!(line.starts_with("error ") && line.contains(" signal=SIGSEGV "), "{line}");
    assert!(line.contains(&format!(" sender={} ", std::process::id())), "{line}");
    let lines = symbolized(&line, &binary());
    let functions = lines.join("\n");
    assert!(functions.contains("epoll") && functions.contains("event_loop"), "{functions}");
    assert!(functions.contains("gateway/src/event_loop.rs:"), "{functions}");
    // And a new one goes on with what there was.
    stage.gateway.run();
    stage.reconnect();
    stage.attach(1, None);
    stage.type_in(1, "echo still $((40+2))\r");
    stage.expect(1, "still 42");
}

#[test]
fn memory_that_runs_out_in_the_middle_of_work_names_who_wanted_it() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    let pid = stage.gateway.process().id().to_string();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("a size");
    let kilobytes: u64 = size.trim().trim_end_matches(" kB").parse().expect("a number");
    let most = format!("--as={}", kilobytes * 1024);
    let limited = Command::new("prlimit").args(["--pid", &pid, &most]).status();
    assert!(limited.expect("prlimit runs").success());
    // What a session keeps of its output has no room any more.
    stage.type_in(1, "seq 300000\r");
    let status = ended(&mut stage);
    let fatal = [Signal::ILL, Signal::ABORT, Signal::TRAP].map(|signal| Some(signal.as_raw()));
    assert!(fatal.contains(&status.signal()), "{status}");
    let lines = symbolized(&fatal_line(&stage.gateway.log()), &binary()).join("\n");
    assert!(lines.contains("alloc"), "{lines}");
    assert!(lines.contains("gateway/src/event_loop.rs:"), "{lines}");
    println!("{lines}");
}

#[test]
fn a_child_tells_it_in_its_parents_form_and_not_among_its_answers() {
    for (format, start) in
        [("text", "error "), ("journal", "<3>"), ("json", "{\"level\":\"error\",")]
    {
        let mut command = Command::new(binary());
        command.arg("_folders").env("GATEWAY_LOG_FORMAT", format);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("it starts");
        let waits = format!("/proc/{}/syscall", child.id());
        // It reads its request: system call 0 on x86_64, 63 on aarch64.
        eventually("the child reads", PATIENCE, || {
            let text = std::fs::read_to_string(&waits).unwrap_or_default();
            (text.starts_with("0 0x0 ") || text.starts_with("63 0x0 ")).then_some(())
        });
        signal(child.id(), Signal::BUS);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.signal(), Some(Signal::BUS.as_raw()));
        assert!(output.stdout.is_empty());
        let line = fatal_line(&String::from_utf8_lossy(&output.stderr));
        assert!(line.starts_with(start), "{line}");
        if format == "json" {
            let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            assert_eq!(value["signal"], "SIGBUS");
            assert_eq!(value["message"], MESSAGE);
        }
        assert!(symbolized(&line, &binary()).concat().contains("read"), "{line}");
    }
}

/// Runs a fault of the program that has some; gives its end and the lines behind its line.
fn fault(program: &Path, name: &str) -> (Output, Vec<String>) {
    let output = Command::new(program).arg(name).stdin(Stdio::null()).output().expect("it starts");
    let lines = symbolized(&fatal_line(&String::from_utf8_lossy(&output.stderr)), program);
    (output, lines)
}

/// Line `n` of the program's source, counted from one, that has `text`.
fn source_line(text: &str) -> String {
    let source = repository().join("gateway/examples/faults.rs");
    let source = std::fs::read_to_string(source).expect("the source");
    let at = source.lines().position(|line| line.contains(text)).expect("the line");
    format!("gateway/examples/faults.rs:{}:", at + 1)
}

#[test]
fn a_panic_of_a_release_is_found_in_the_source() {
    let Some(program) = std::env::var_os(FAULTS).map(PathBuf::from) else {
        println!("skipped: {FAULTS} is not set, as `cargo xtask test --only integration` does");
        return;
    };
    for (name, function, place) in
        [("index", "number_at", "numbers[place]"), ("unwrap", "parsed", "parse::<u32>().unwrap()")]
    {
        let (output, lines) = fault(&program, name);
        let raised = [Signal::ILL, Signal::TRAP].map(|signal| Some(signal.as_raw()));
        assert!(raised.contains(&output.status.signal()), "{}", output.status);
        let (place, all) = (source_line(place), lines.join("\n"));
        let top: Vec<&String> =
            lines.iter().skip(2).take_while(|line| !line.contains("::main")).collect();
        assert!(top.iter().any(|line| line.contains(function) && line.contains(&place)), "{all}");
        // The list goes on to where the program began.
        assert!(lines.iter().any(|line| line.contains("faults::main")), "{all}");
    }
    let (output, lines) = fault(&program, "overflow");
    assert_eq!(output.status.signal(), Some(Signal::SEGV.as_raw()));
    let deep = lines.iter().filter(|line| line.contains("depth_of")).count();
    assert!(deep > 10, "{}", lines.join("\n"));
}
