//! Whether a service keeps the gateway running.

use super::report::Finding;

/// The name of this check.
pub const CHECK: &str = "service";

/// What the service manager says of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It knows no such service.
    NotInstalled,
    /// It knows it, and it does not run.
    Stopped,
    /// It runs.
    Running,
}

/// Asks the service manager. `None` while nothing here knows how to.
pub fn ask() -> Option<State> {
    None
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
