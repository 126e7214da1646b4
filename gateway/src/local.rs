//! `list` and `attach`: for the person who is on this machine and wants a session in this terminal.
//!
//! They talk to the private tmux server alone. The gateway may run or not, and needs no token here.

mod sessions;
mod table;

use crate::command_line::Parsed;
use crate::command_line::exit::{NO_INPUT, UNAVAILABLE, USAGE};
use crate::config;
use crate::tmux::server::tmux;
use sessions::{Local, Sessions};
use std::io::{IsTerminal as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};

/// Why a command ends: a sentence for the person, and the exit code.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    message: String,
    code: u8,
}

impl Refusal {
    fn new(code: u8, message: impl Into<String>) -> Self {
        Self { message: message.into(), code }
    }
}

/// Prints the sessions. Returns the exit code.
pub fn list(asked: &Parsed) -> u8 {
    let listed = socket(asked).and_then(|socket| Sessions::ask(&socket)).map(|sessions| {
        let text = if asked.has("json") {
            sessions.to_json() + "\n"
        } else if sessions.all.is_empty() {
            "No sessions. The web app creates them; another user's are not shown here.\n".to_owned()
        } else {
            table::draw(&sessions.all)
        };
        // Whoever stopped reading wanted no more.
        let _ = std::io::stdout().write_all(text.as_bytes());
    });
    told(listed)
}

/// Turns into a tmux client of a session; returns an exit code when it cannot.
pub fn attach(asked: &Parsed) -> u8 {
    told(attach_to(asked))
}

/// The sessions for a shell that completes words: the number, a tab, and what is there.
pub fn for_completion() -> String {
    let socket = config::tmux_socket(&config::Values::new(), |name| std::env::var(name).ok());
    let sessions = socket.ok().and_then(|socket| Sessions::ask(&socket).ok());
    let sessions = sessions.map(|sessions| sessions.all).unwrap_or_default();
    let line = |one: &Local| {
        format!("{}\t{} {}\n", one.session_id, one.name.as_deref().unwrap_or_default(), one.folder)
    };
    sessions.iter().map(line).collect()
}

fn attach_to(asked: &Parsed) -> Result<(), Refusal> {
    let socket = socket(asked)?;
    let variable = std::env::var("TMUX").unwrap_or_default();
    if is_inside(&variable, &socket_path(&socket)) {
        let message = "this terminal is a session of chatcode already: leave it with Ctrl-B D, \
                       or run this in another terminal";
        return Err(Refusal::new(USAGE, message));
    }
    let sessions = Sessions::ask(&socket)?;
    let session = choose(&sessions.all, asked.word())?;
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        let message = "attach needs a terminal for input and output; through ssh, use ssh -t";
        return Err(Refusal::new(USAGE, message));
    }
    let target = format!("${}", session.tmux_id);
    // Only a failure comes back.
    let error = tmux(&socket).args(["attach-session", "-t", &target]).exec();
    Err(no_tmux(&error))
}

/// The session that is meant: by number, by tmux name, by name, or as the only one.
fn choose<'a>(sessions: &'a [Local], wanted: Option<&str>) -> Result<&'a Local, Refusal> {
    let shown = || format!("{}Type: chatcode-gateway attach SESSION", table::draw(sessions));
    let Some(wanted) = wanted else {
        return match sessions {
            [] => Err(Refusal::new(
                NO_INPUT,
                "there is no session to attach to: the web app creates them; those of another \
                 user are found as that user alone",
            )),
            [only] => Ok(only),
            _ => Err(Refusal::new(USAGE, format!("there are several sessions:\n{}", shown()))),
        };
    };
    let number = wanted.strip_prefix("cc-").unwrap_or(wanted).parse::<u32>().ok();
    let by_number = sessions.iter().find(|session| Some(session.session_id) == number);
    let mut by_name = sessions
        .iter()
        .filter(|session| session.name.as_deref() == Some(wanted) || session.tmux_name == wanted);
    match (by_number, by_name.next(), by_name.next()) {
        (Some(session), ..) | (None, Some(session), None) => Ok(session),
        (None, Some(_), Some(_)) => {
            let message = format!("several sessions are called \"{wanted}\":\n{}", shown());
            Err(Refusal::new(USAGE, message))
        }
        (None, None, _) => {
            let wanted = wanted.escape_debug();
            let what = if sessions.is_empty() { "There is none.".to_owned() } else { shown() };
            Err(Refusal::new(NO_INPUT, format!("there is no session \"{wanted}\".\n{what}")))
        }
    }
}

fn socket(asked: &Parsed) -> Result<String, Refusal> {
    config::tmux_socket(&asked.settings(), |name| std::env::var(name).ok())
        .map_err(|error| Refusal::new(USAGE, error.to_string()))
}

/// Where tmux puts the socket of this name.
fn socket_path(socket: &str) -> PathBuf {
    let folder = std::env::var_os("TMUX_TMPDIR").filter(|folder| !folder.is_empty());
    let folder = folder.map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    folder.join(format!("tmux-{}", rustix::process::getuid().as_raw())).join(socket)
}

/// Whether `variable`, the value of `TMUX`, names the server on `socket`.
fn is_inside(variable: &str, socket: &Path) -> bool {
    // "socket,server pid,session": the path may hold commas itself.
    let Some(path) = variable.rsplitn(3, ',').nth(2) else { return false };
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    real(Path::new(path)) == real(socket)
}

fn no_tmux(error: &std::io::Error) -> Refusal {
    Refusal::new(UNAVAILABLE, format!("cannot start tmux: {error}; install tmux 3.2 or later"))
}

fn told(outcome: Result<(), Refusal>) -> u8 {
    match outcome {
        Ok(()) => 0,
        Err(refusal) => {
            eprintln!("chatcode-gateway: {}", refusal.message);
            refusal.code
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(session_id: u32, name: &str) -> Local {
        Local { session_id, name: Some(name.to_owned()), ..Local::default() }
    }

    #[test]
    fn a_session_is_found_by_number_and_by_an_unambiguous_name() {
        let sessions = [named(7, "api"), named(9, "web"), named(12, "web"), named(3, "9")];
        let chosen = |wanted| choose(&sessions, wanted).map(|session| session.session_id);
        assert_eq!(chosen(Some("7")), Ok(7));
        assert_eq!(chosen(Some("cc-12")), Ok(12));
        assert_eq!(chosen(Some("api")), Ok(7));
        assert_eq!(chosen(Some("9")), Ok(9), "a number is a number first");
        assert_eq!(chosen(Some("web")).expect_err("two").code, USAGE);
        assert_eq!(chosen(Some("1")).expect_err("no prefix match").code, NO_INPUT);
        assert!(chosen(None).expect_err("several").message.contains("attach SESSION"));
        assert_eq!(choose(&sessions[..1], None).map(|session| session.session_id), Ok(7));
        assert_eq!(choose(&[], None).expect_err("none").code, NO_INPUT);
    }

    #[test]
    fn only_the_same_server_is_inside() {
        let socket = Path::new("/nowhere/tmux-0/chat,code");
        assert!(is_inside("/nowhere/tmux-0/chat,code,123,0", socket));
        assert!(!is_inside("/nowhere/tmux-0/default,123,0", socket));
        assert!(!is_inside("", socket));
    }
}
