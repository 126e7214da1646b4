//! Whether a service keeps the gateway running.

use super::Deadline;
use super::program::{Outcome, run};
use super::report::Finding;
use crate::service::{Scope, Service, manager};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// The name of this check.
pub const CHECK: &str = "service";

/// What a service manager may take for its answer.
const ASK: Duration = Duration::from_secs(1);

/// What the service manager says of the gateway, from bad to good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It knows no such service.
    NotInstalled,
    /// It knows it, and it does not run.
    Stopped,
    /// It runs.
    Running,
}

/// Asks the service manager of the user whose home this is and that of the machine. `None` when
/// neither answers.
pub(super) fn ask(home: Option<String>, deadline: Deadline) -> Option<State> {
    let home = PathBuf::from(home?);
    let scopes = [Scope::User, Scope::System(String::new())];
    scopes.into_iter().filter_map(|scope| ask_of(scope, home.clone(), deadline)).max()
}

fn ask_of(scope: Scope, home: PathBuf, deadline: Deadline) -> Option<State> {
    let uid = rustix::process::getuid().as_raw();
    let service = Service { scope, binary: PathBuf::new(), config: PathBuf::new(), home, uid };
    let words = manager().question(&service);
    let (program, arguments) = words.split_first()?;
    let outcome = run(Command::new(program).args(arguments), deadline.within(ASK));
    let answer = match &outcome {
        Outcome::Done(true, answer, _) => Some(&**answer),
        Outcome::Done(false, ..) => None,
        Outcome::NotStarted(_) | Outcome::Late => return None,
    };
    let status = manager().read(answer, manager().file(&service).exists())?;
    Some(match (status.installed, status.running) {
        (false, _) => State::NotInstalled,
        (true, false) => State::Stopped,
        (true, true) => State::Running,
    })
}

/// What that means.
pub fn judge(state: State) -> Finding {
    match state {
        State::Running => Finding::ok(CHECK, "it runs"),
        State::Stopped => Finding::failure(
            CHECK,
            "service_stopped",
            "it is installed and does not run",
            "start it, and look at its log for why it ended",
        ),
        State::NotInstalled => Finding::warning(
            CHECK,
            "service_not_installed",
            "nothing starts the gateway when the machine does",
            "chatcode-gateway service install",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_does_not_run_is_worse_than_none() {
        assert_eq!(judge(State::Running).code, "ok");
        assert_eq!(judge(State::Stopped).code, "service_stopped");
        assert_eq!(judge(State::NotInstalled).code, "service_not_installed");
    }
}
