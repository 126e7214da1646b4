//! launchd: the property list, and the calls of launchctl.

use super::{NAME, Scope, Service, ServiceManager, Status, Step, line_of};
use crate::words::words;
use std::path::PathBuf;

/// macOS's manager.
pub struct Launchd;

/// launchd gives a job a search path without Homebrew's folders, where tmux is.
const PATH: &str = "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

impl Launchd {
    fn domain(service: &Service) -> String {
        match service.scope {
            Scope::User => format!("gui/{}", service.uid),
            Scope::System(_) => "system".to_owned(),
        }
    }

    fn target(service: &Service) -> String {
        format!("{}/{NAME}", Self::domain(service))
    }

    /// Where what the gateway logs goes: there is no journal.
    fn log(service: &Service) -> PathBuf {
        let folder = match service.scope {
            Scope::User => service.home.join("Library/Logs"),
            Scope::System(_) => PathBuf::from("/Library/Logs"),
        };
        folder.join(format!("{NAME}.log"))
    }
}

impl ServiceManager for Launchd {
    fn file(&self, service: &Service) -> PathBuf {
        let folder = match service.scope {
            Scope::User => service.home.join("Library/LaunchAgents"),
            Scope::System(_) => PathBuf::from("/Library/LaunchDaemons"),
        };
        folder.join(format!("{NAME}.plist"))
    }

    fn text(&self, service: &Service) -> Result<String, String> {
        let binary = escaped(line_of(&service.binary, "binary")?);
        let config = escaped(line_of(&service.config, "settings")?);
        let log = escaped(line_of(&Self::log(service), "log")?);
        let user = match &service.scope {
            Scope::User => String::new(),
            Scope::System(name) => {
                format!("  <key>UserName</key>\n  <string>{}</string>\n", escaped(name))
            }
        };
        Ok(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
             \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
             <!-- Written by: {NAME} service install -->\n\
             <plist version=\"1.0\">\n<dict>\n  <key>Label</key>\n  <string>{NAME}</string>\n  \
             <key>ProgramArguments</key>\n  <array>\n    <string>{binary}</string>\n    \
             <string>run</string>\n    <string>--config</string>\n    <string>{config}</string>\n  \
             </array>\n{user}  <key>RunAtLoad</key>\n  <true/>\n  <key>KeepAlive</key>\n  <true/>\n  \
             <key>ProcessType</key>\n  <string>Interactive</string>\n  \
             <!-- tmux and the sessions outlive the gateway. -->\n  \
             <key>AbandonProcessGroup</key>\n  <true/>\n  <key>ExitTimeOut</key>\n  \
             <integer>10</integer>\n  <key>EnvironmentVariables</key>\n  <dict>\n    \
             <key>PATH</key>\n    <string>{PATH}</string>\n  </dict>\n  \
             <key>StandardErrorPath</key>\n  <string>{log}</string>\n</dict>\n</plist>\n"
        ))
    }

    fn install(&self, service: &Service) -> Result<Vec<Step>, String> {
        let file = self.file(service);
        let target = Self::target(service);
        let path = line_of(&file, "property list")?.to_owned();
        Ok(vec![
            // A job is read when it is loaded, and leaves a moment after it was told to.
            Step::Try(words(&["launchctl", "bootout", &target])),
            Step::Gone(self.question(service)),
            Step::Write(file, self.text(service)?),
            Step::Run(words(&["launchctl", "enable", &target])),
            Step::Run(words(&["launchctl", "bootstrap", &Self::domain(service), &path])),
        ])
    }

    fn uninstall(&self, service: &Service) -> Vec<Step> {
        vec![
            Step::Try(words(&["launchctl", "bootout", &Self::target(service)])),
            Step::Remove(self.file(service)),
        ]
    }

    fn question(&self, service: &Service) -> Vec<String> {
        words(&["launchctl", "print", &Self::target(service)])
    }

    /// The answer is for people and indented; the first `state` and `pid` are the job's.
    fn read(&self, answer: Option<&str>, exists: bool) -> Option<Status> {
        // It fails for a job that is not loaded.
        let answer = answer.unwrap_or_default();
        let value = |name: &str| {
            let mut lines = answer.lines().filter_map(|line| line.trim().split_once(" = "));
            lines.find(|(key, _)| *key == name).map_or("", |(_, value)| value)
        };
        let state = value("state");
        let running = state == "running";
        Some(Status {
            installed: exists,
            enabled: exists && !answer.is_empty(),
            running,
            process: if running { format!("process {}", value("pid")) } else { state.to_owned() },
            says: String::new(),
        })
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_launchctl_are_read() {
        let text = "gui/501/chatcode-gateway = {\n\tactive count = 1\n\tstate = running\n\n\
                    \tpid = 321\n\tspawned = {\n\t\tstate = other\n\t}\n}\n";
        let status = Launchd.read(Some(text), true).expect("an answer");
        assert!(status.installed && status.enabled && status.running);
        assert_eq!(status.process, "process 321");
        let waiting = text.replace("running", "not running");
        assert!(!Launchd.read(Some(&waiting), true).expect("an answer").running);
        assert_eq!(Launchd.read(None, false), Some(Status::default()));
    }
}
