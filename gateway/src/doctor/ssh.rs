//! What sshd makes of `authorized_keys`: it ignores one that others may write, or looks elsewhere.

use super::Deadline;
use super::program::{self, Outcome};
use super::report::Finding;
use crate::ssh_keys::expiry::{ENFORCES, read_version, sshd};
use crate::ssh_keys::store::Store;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const FILES: &str = "ssh_files";
const SSHD: &str = "sshd";

/// sshd prints its version or its settings and ends.
const ASK: Duration = Duration::from_millis(700);

/// Looks at the files and, as far as it answers, at sshd.
pub fn examine(home: Option<String>, deadline: Deadline) -> Vec<Finding> {
    let home = home.unwrap_or_else(|| "/".to_owned());
    let store = Store::find(Path::new(&home));
    let files = match &store {
        Ok(store) => judge_files(
            store.exposed(),
            store.read().map(|bytes| bytes.len()).map_err(|failure| failure.message),
        ),
        Err(failure) => judge_files(None, Err(failure.message.clone())),
    };
    let Some(program) = sshd() else { return vec![files, judge_sshd(&home, None, None)] };
    let ask = |option: &str| {
        match program::run(Command::new(&program).arg(option), deadline.within(ASK)) {
            // The settings are for root alone; what it says then is no setting.
            Outcome::Done(_, said, complained) => said + &complained,
            Outcome::Late | Outcome::NotStarted(_) => String::new(),
        }
    };
    let (version, settings) = (ask("-V"), ask("-T"));
    vec![files, judge_sshd(&home, Some(&version), Some(&settings))]
}

fn judge_files(exposed: Option<String>, size: Result<usize, String>) -> Finding {
    match (exposed, size) {
        (Some(why), _) => {
            let advice = match why.split_once("run ") {
                Some((_, command)) => command.to_owned(),
                None => "give it to the gateway's user".to_owned(),
            };
            Finding::failure(FILES, "ssh_files_exposed", why, advice)
        }
        (None, Err(why)) => {
            let advice = "look at the file; keys cannot be managed before it is mended";
            Finding::failure(FILES, "ssh_files_unreadable", why, advice)
        }
        (None, Ok(0)) => Finding::ok(FILES, "no authorized_keys yet"),
        (None, Ok(_)) => Finding::ok(FILES, "authorized_keys is private"),
    }
}

fn judge_sshd(home: &str, version: Option<&str>, settings: Option<&str>) -> Finding {
    let Some(version) = version else {
        return Finding::ok(SSHD, "none here: SSH keys have no effect");
    };
    let Some((major, minor)) = read_version(version) else {
        return Finding::ok(SSHD, "it does not say its version");
    };
    let name = format!("OpenSSH {major}.{minor}");
    if (major, minor) < ENFORCES {
        let found = format!("{name} cannot end a key at a time");
        return Finding::warning(SSHD, "sshd_old", found, "update it to 7.7 or later");
    }
    let setting = |name: &str| {
        let lines = settings.unwrap_or_default().lines();
        lines.filter_map(|line| line.split_once(' ')).find(|(key, _)| *key == name)
    };
    if let Some((_, "no")) = setting("pubkeyauthentication") {
        let advice = "set PubkeyAuthentication yes in sshd_config";
        return Finding::warning(SSHD, "sshd_no_keys", format!("{name} accepts no keys"), advice);
    }
    let Some((_, files)) = setting("authorizedkeysfile") else {
        return Finding::ok(SSHD, format!("{name}; its settings are told to root alone"));
    };
    let ours = format!("{home}/.ssh/authorized_keys");
    let is_ours = |file: &str| {
        let file = file.strip_prefix("%h/").unwrap_or(file);
        file == ".ssh/authorized_keys" || file == ours
    };
    if files.split(' ').any(is_ours) {
        return Finding::ok(SSHD, format!("{name} reads ~/.ssh/authorized_keys"));
    }
    let found = format!("{name} does not read ~/.ssh/authorized_keys, but {files}");
    let advice = "add .ssh/authorized_keys to AuthorizedKeysFile in sshd_config";
    Finding::warning(SSHD, "sshd_elsewhere", found, advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_sshd_ignores_come_with_the_command_that_mends_them() {
        let why = "others may write /h, and so sshd ignores the keys: run chmod go-w /h";
        let finding = judge_files(Some(why.to_owned()), Ok(1));
        assert_eq!(
            (finding.code, finding.advice.as_deref()),
            ("ssh_files_exposed", Some("chmod go-w /h"))
        );
        assert_eq!(judge_files(None, Err("no file".into())).code, "ssh_files_unreadable");
        assert_eq!(judge_files(None, Ok(0)).code, "ok");
    }

    #[test]
    fn sshd_is_judged_by_its_version_and_its_settings() {
        let code = |version: Option<&str>, settings: Option<&str>| {
            judge_sshd("/home/a", version, settings).code
        };
        let new = Some("OpenSSH_9.2, OpenSSL");
        assert_eq!(code(None, None), "ok");
        assert_eq!(code(Some("Dropbear"), None), "ok");
        assert_eq!(code(Some("OpenSSH_7.4p1"), None), "sshd_old");
        assert_eq!(code(new, Some("sshd: no hostkeys available -- exiting.")), "ok");
        assert_eq!(code(new, Some("port 22\npubkeyauthentication no\n")), "sshd_no_keys");
        let with = |files| format!("pubkeyauthentication yes\nauthorizedkeysfile {files}\n");
        for files in [
            ".ssh/authorized_keys .ssh/authorized_keys2",
            "%h/.ssh/authorized_keys",
            "/etc/keys /home/a/.ssh/authorized_keys",
        ] {
            assert_eq!(code(new, Some(&with(files))), "ok", "{files}");
        }
        assert_eq!(code(new, Some(&with("/etc/ssh/keys/%u"))), "sshd_elsewhere");
    }
}
