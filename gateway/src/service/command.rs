//! `chatcode-gateway service`: finds out what is meant, and carries the manager's steps out.

use super::{NAME, Scope, Service, ServiceManager, Status, Step, manager};
use crate::command_line::{Parsed, exit};
use crate::limits::{SERVICE_GONE, SERVICE_GONE_LOOK};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

/// A sentence for the person, and the exit code.
type Refusal = (String, u8);

/// Installs, removes or asks. Returns the exit code.
pub fn run(asked: &Parsed) -> u8 {
    let manager = manager();
    let done = read(asked).and_then(|service| match asked.word() {
        Some("install") => install(manager, &service, asked.has("dry-run")),
        Some("uninstall") => {
            perform(&manager.uninstall(&service), asked.has("dry-run"))?;
            let left = "Sessions go on, and settings and state are left";
            say(&format!("{left}: {}", service.config.display()));
            Ok(exit::DONE)
        }
        _ => status(manager, &service),
    });
    done.unwrap_or_else(|(message, code)| {
        eprintln!("{NAME} service: {message}");
        code
    })
}

fn install(
    manager: &dyn ServiceManager,
    service: &Service,
    only_show: bool,
) -> Result<u8, Refusal> {
    let steps = manager.install(service).map_err(|message| (message, exit::USAGE))?;
    if !only_show && !service.config.is_file() {
        let config = service.config.display();
        let message = format!(
            "there are no settings in {config}: write them, or name their file \
                               with --config; {NAME} run --help lists them"
        );
        return Err((message, exit::NO_INPUT));
    }
    perform(&steps, only_show)?;
    Ok(exit::DONE)
}

fn status(manager: &dyn ServiceManager, service: &Service) -> Result<u8, Refusal> {
    let question = manager.question(service);
    let output = call(&question)?;
    let answer = String::from_utf8_lossy(&output.stdout);
    let answer = output.status.success().then_some(answer.as_ref());
    let status = manager.read(answer, manager.file(service).exists());
    let status = status.ok_or_else(|| failed(&question, &output, exit::UNAVAILABLE))?;
    let (line, code) = in_words(&status);
    say(&line);
    Ok(code)
}

fn in_words(status: &Status) -> (String, u8) {
    if !status.installed {
        return (format!("not installed; to install it: {NAME} service install"), exit::ABSENT);
    }
    let starts = if status.enabled { "starts by itself" } else { "does not start by itself" };
    let (runs, code) =
        if status.running { ("running", exit::DONE) } else { ("not running", exit::STOPPED) };
    let mut line = format!("installed, {starts}, {runs}");
    for (before, text) in [(", ", &status.process), ("\n", &status.says)] {
        if !text.is_empty() {
            line.push_str(before);
            line.push_str(text);
        }
    }
    (line, code)
}

fn read(asked: &Parsed) -> Result<Service, Refusal> {
    let usage = |message: &str| (message.to_owned(), exit::USAGE);
    let root = rustix::process::geteuid().is_root();
    let system = match (asked.has("system"), asked.has("user")) {
        (true, true) => return Err(usage("give --user or --system, not both")),
        (system, user) => system || (root && !user),
    };
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    let home = PathBuf::from(home.ok_or_else(|| usage("HOME is not set"))?);
    let (scope, usual) = if system {
        let config = PathBuf::from("/etc/chatcode/gateway.env");
        (Scope::System(user_of_service(asked)?), config)
    } else {
        (Scope::User, home.join(".config/chatcode/gateway.env"))
    };
    let config = asked.value("config").map_or(usual, PathBuf::from);
    let absolute =
        |path: &Path| std::path::absolute(path).map_err(|error| usage(&error.to_string()));
    let binary = match asked.value("binary") {
        Some(path) => absolute(Path::new(path))?,
        None => std::env::current_exe().map_err(|error| (error.to_string(), exit::FAILED))?,
    };
    Ok(Service {
        scope,
        binary,
        config: absolute(&config)?,
        home,
        uid: rustix::process::getuid().as_raw(),
    })
}

/// Who the gateway runs as: whoever is named, or whoever called sudo.
fn user_of_service(asked: &Parsed) -> Result<String, Refusal> {
    if matches!(asked.word(), Some("uninstall" | "status")) {
        return Ok(String::new());
    }
    let caller = std::env::var("SUDO_USER").unwrap_or_default();
    let name = asked.value("run-as").unwrap_or(&caller);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    let message = match name {
        "" => "name the user whose sessions these are: --run-as NAME",
        "root" => "the gateway never runs as root: name a person with --run-as NAME",
        name if !name.chars().all(plain) || name.starts_with('-') => {
            "--run-as is the name of a user: letters, digits, _ . -"
        }
        name => return Ok(name.to_owned()),
    };
    Err((message.to_owned(), exit::USAGE))
}

fn perform(steps: &[Step], only_show: bool) -> Result<(), Refusal> {
    steps.iter().try_for_each(|step| if only_show { show(step) } else { carry_out(step) })
}

fn show(step: &Step) -> Result<(), Refusal> {
    let mut line = match step {
        Step::Write(path, text) => format!("write {}\n\n{text}", path.display()),
        Step::Remove(path) => format!("remove {}", path.display()),
        Step::Run(words) | Step::Try(words) => format!("run {}", words.join(" ")),
        Step::Gone(words) => format!("wait until this fails: {}", words.join(" ")),
        Step::Say(text) => text.clone(),
    };
    line.truncate(line.trim_end().len());
    say(&line);
    Ok(())
}

fn carry_out(step: &Step) -> Result<(), Refusal> {
    match step {
        Step::Write(path, text) => {
            let written = write(path, text);
            written.map_err(|error| told("write", path, &error))?;
            say(&format!("wrote {}", path.display()));
        }
        Step::Remove(path) => match std::fs::remove_file(path) {
            Ok(()) => say(&format!("removed {}", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(told("remove", path, &error)),
        },
        Step::Run(words) => {
            let output = call(words)?;
            if !output.status.success() {
                return Err(failed(words, &output, exit::FAILED));
            }
        }
        Step::Try(words) => {
            call(words)?;
        }
        Step::Gone(words) => {
            let started = Instant::now();
            while call(words)?.status.success() && started.elapsed() < SERVICE_GONE {
                std::thread::sleep(SERVICE_GONE_LOOK);
            }
        }
        Step::Say(text) => say(text),
    }
    Ok(())
}

fn call(words: &[String]) -> Result<Output, Refusal> {
    let (program, arguments) = words.split_first().ok_or((String::new(), exit::FAILED))?;
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    output.map_err(|error| {
        (
            format!("cannot run {program}: {error}; this machine may have another manager"),
            exit::UNAVAILABLE,
        )
    })
}

fn failed(words: &[String], output: &Output, code: u8) -> Refusal {
    let said = String::from_utf8_lossy(&output.stderr);
    (format!("{} failed: {}", words.join(" "), said.trim()), code)
}

/// Whole or not at all.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, text)?;
    std::fs::rename(&temporary, path)
}

fn told(what: &str, path: &Path, error: &std::io::Error) -> Refusal {
    (format!("cannot {what} {}: {error}", path.display()), exit::FAILED)
}

/// Prints a line; whoever stopped reading wanted no more.
fn say(text: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stdout(), format!("{text}\n").as_bytes());
}
