//! systemd: the unit, and the calls of systemctl.

use super::{NAME, Scope, Service, ServiceManager, Status, Step, line_of};
use crate::limits::WATCHDOG_SECONDS;
use crate::words::words;
use std::path::{Path, PathBuf};

/// Linux's usual manager.
pub struct Systemd;

/// What stands in every unit. Its comments are for whoever opens the file.
const SERVICE: &str = "\
# Sessions belong to tmux, which is started from here and outlives this unit: only the gateway is
# stopped, and an agent that runs out of memory does not take the others with it.
KillMode=process
OOMPolicy=continue
TasksMax=infinity
# A group for each session may be made beneath this unit.
Delegate=yes
# Whatever restricts this unit would restrict the sessions too, which are a person's shells: with
# NoNewPrivileges=, ProtectSystem=, PrivateTmp=, SystemCallFilter= or CapabilityBoundingSet= there
# would be no sudo in them. That the gateway is no root's and listens nowhere protects it.
";

/// Of the shell: the program of this name is not on every machine.
const RELOAD: &str = "ExecReload=/bin/sh -c \"kill -HUP $MAINPID\"\n";

impl Systemd {
    fn systemctl(service: &Service, arguments: &[&str]) -> Vec<String> {
        let mut command = words(&["systemctl"]);
        command.extend((service.scope == Scope::User).then(|| "--user".to_owned()));
        command.extend(words(arguments));
        command
    }
}

impl ServiceManager for Systemd {
    fn file(&self, service: &Service) -> PathBuf {
        let folder = match service.scope {
            Scope::User => service.home.join(".config/systemd/user"),
            Scope::System(_) => PathBuf::from("/etc/systemd/system"),
        };
        folder.join(format!("{NAME}.service"))
    }

    fn text(&self, service: &Service) -> Result<String, String> {
        let (network, user, target) = match &service.scope {
            Scope::User => ("", String::new(), "default.target"),
            Scope::System(name) => (
                "Wants=network-online.target\nAfter=network-online.target\n",
                format!("User={name}\n"),
                "multi-user.target",
            ),
        };
        let binary = quoted(&service.binary, "binary", false)?;
        // Not EnvironmentFile: what comes from there would stay as it is when the file is changed
        // and the unit reloaded.
        let config = quoted(&service.config, "settings", true)?;
        Ok(format!(
            "# Written by: {NAME} service install\n\
             # Changes of your own belong into a drop-in: systemctl edit {NAME}\n\n\
             [Unit]\nDescription=chatcode gateway\n{network}\
             # A machine that nobody can reach otherwise: never give up.\n\
             StartLimitIntervalSec=0\n\n\
             [Service]\nType=notify\nNotifyAccess=main\n\
             ExecStart={binary} run --config {config}\n\
             {RELOAD}{user}\
             Restart=always\nRestartSec=5\nWatchdogSec={WATCHDOG_SECONDS}\nTimeoutStopSec=10\n\
             {SERVICE}\n\
             [Install]\nWantedBy={target}\n"
        ))
    }

    fn install(&self, service: &Service) -> Result<Vec<Step>, String> {
        let mut steps = vec![Step::Write(self.file(service), self.text(service)?)];
        if let Scope::System(name) = &service.scope {
            // Only who lingers has a manager that can limit what each session holds.
            steps.push(Step::Try(words(&["loginctl", "enable-linger", name])));
        }
        steps.push(Step::Run(Self::systemctl(service, &["daemon-reload"])));
        steps.push(Step::Run(Self::systemctl(service, &["enable", NAME])));
        steps.push(Step::Run(Self::systemctl(service, &["restart", NAME])));
        if service.scope == Scope::User {
            steps.push(Step::Say(
                "It ends with your last login, and its sessions too, unless you linger: \
                 loginctl enable-linger"
                    .to_owned(),
            ));
        }
        Ok(steps)
    }

    fn uninstall(&self, service: &Service) -> Vec<Step> {
        vec![
            Step::Try(Self::systemctl(service, &["disable", "--now", NAME])),
            Step::Remove(self.file(service)),
            Step::Run(Self::systemctl(service, &["daemon-reload"])),
        ]
    }

    fn question(&self, service: &Service) -> Vec<String> {
        let wanted = "--property=LoadState,UnitFileState,ActiveState,MainPID,StatusText";
        Self::systemctl(service, &["show", NAME, wanted])
    }

    fn read(&self, answer: Option<&str>, _: bool) -> Option<Status> {
        // It answers about services that it does not know too.
        let answer = answer?;
        let value = |name: &str| {
            let mut lines = answer.lines().filter_map(|line| line.split_once('='));
            lines.find(|(key, _)| *key == name).map_or("", |(_, value)| value)
        };
        let state = value("ActiveState");
        let running = matches!(state, "active" | "reloading");
        Some(Status {
            installed: !matches!(value("LoadState"), "" | "not-found"),
            enabled: value("UnitFileState").starts_with("enabled"),
            running,
            process: if running {
                format!("process {}", value("MainPID"))
            } else {
                state.to_owned()
            },
            says: value("StatusText").to_owned(),
        })
    }
}

/// A word of a command line in a unit. Variables are not expanded in the path of the program.
fn quoted(path: &Path, what: &str, is_argument: bool) -> Result<String, String> {
    let text = line_of(path, what)?;
    if !is_argument && text.contains(['"', '\'', '\\']) {
        return Err(format!("systemd runs no {what} with quotes in its path; move {text}"));
    }
    let mut out = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.push('\\'),
            '%' => out.push('%'),
            '$' if is_argument => out.push('$'),
            _ => {}
        }
        out.push(letter);
    }
    out.push('"');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_systemctl_are_read() {
        let read = |text: &str| Systemd.read(Some(text), true).expect("an answer");
        let status = read(
            "LoadState=loaded\nUnitFileState=enabled\nActiveState=active\nMainPID=7\n\
             StatusText=0.1.0, a=b\n",
        );
        assert!(status.installed && status.enabled && status.running);
        assert_eq!((status.process.as_str(), status.says.as_str()), ("process 7", "0.1.0, a=b"));
        let status = read("LoadState=loaded\nUnitFileState=disabled\nActiveState=failed\n");
        assert!(status.installed && !status.enabled && !status.running);
        assert_eq!(status.process, "failed");
        assert!(!read("LoadState=not-found\nActiveState=inactive\n").installed);
        assert_eq!(Systemd.read(None, true), None, "no manager");
    }

    #[test]
    fn paths_are_quoted_and_control_characters_refused() {
        let path = Path::new("/a b/\"c\\/%h/$HOME");
        assert_eq!(quoted(path, "x", true).expect("fine"), r#""/a b/\"c\\/%%h/$$HOME""#);
        assert!(quoted(path, "x", false).is_err());
        let program = Path::new("/a b/%h/$HOME");
        assert_eq!(quoted(program, "x", false).expect("fine"), r#""/a b/%%h/$HOME""#);
        assert!(quoted(Path::new("/a\nExecStart=b"), "x", true).is_err());
    }
}
