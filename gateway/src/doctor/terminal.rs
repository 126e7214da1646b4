//! tmux, and the terminal type that it gives to programs.

use super::Deadline;
use super::program::{self, Outcome};
use super::report::Finding;
use crate::tmux::terminal::{FOLDERS, SCREEN, TMUX as OWN, knows};
use crate::tmux::version::Version;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const TMUX: &str = "tmux";
const TERMINFO: &str = "terminfo";

/// `tmux -V` prints one line.
const ASK: Duration = Duration::from_secs(1);

/// Looks at both.
pub fn examine(deadline: Deadline) -> Vec<Finding> {
    let outcome = program::run(Command::new("tmux").arg("-V"), deadline.within(ASK));
    vec![judge_tmux(&outcome), judge_terminfo(&FOLDERS.map(Path::new))]
}

fn judge_tmux(outcome: &Outcome) -> Finding {
    let update = "install tmux 3.2 or later: it is in every current distribution and in Homebrew";
    let said = match outcome {
        Outcome::Done(_, said, _) => said,
        Outcome::Late => {
            return Finding::failure(TMUX, "tmux_hangs", "tmux -V does not answer", update);
        }
        Outcome::NotStarted(why) => {
            let found = format!("cannot be started: {why}");
            return Finding::failure(TMUX, "tmux_missing", found, update);
        }
    };
    match Version::read(said) {
        None => Finding::failure(TMUX, "tmux_unknown", format!("says \"{said}\""), update),
        Some(version) if !version.is_supported() => {
            Finding::failure(TMUX, "tmux_old", format!("{version}, 3.0a is needed"), update)
        }
        Some(version) if !version.capabilities().pause => {
            let found = format!("{version}: it works, floods of output cost more than they need");
            Finding::warning(TMUX, "tmux_limited", found, update)
        }
        Some(version) => Finding::ok(TMUX, version.to_string()),
    }
}

fn judge_terminfo(folders: &[&Path]) -> Finding {
    let advice =
        "install ncurses-term (Debian), ncurses-terminfo (Alpine) or ncurses-base (Fedora)";
    if knows(folders, OWN) {
        Finding::ok(TERMINFO, OWN)
    } else if knows(folders, SCREEN) {
        let found = "tmux-256color is not known; screen-256color serves without italics";
        Finding::warning(TERMINFO, "terminfo_limited", found, advice)
    } else {
        let found = "neither tmux-256color nor screen-256color is known: programs will complain";
        Finding::failure(TERMINFO, "terminfo_missing", found, advice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tmux_is_judged_by_its_version() {
        let code = |said: &str| judge_tmux(&Outcome::Done(true, said.into(), String::new())).code;
        assert_eq!(code("tmux 3.3a\n"), "ok");
        assert_eq!(code("tmux 3.1c\n"), "tmux_limited");
        assert_eq!(code("tmux 2.9a\n"), "tmux_old");
        assert_eq!(code("hello"), "tmux_unknown");
        assert_eq!(judge_tmux(&Outcome::Late).code, "tmux_hangs");
        assert_eq!(judge_tmux(&Outcome::NotStarted("no".into())).code, "tmux_missing");
    }

    #[test]
    fn the_terminal_type_is_looked_for_as_linux_and_macos_keep_it() {
        let folder = std::env::temp_dir().join(format!("cc-terminfo-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let folders = [folder.as_path()];
        assert_eq!(judge_terminfo(&folders).code, "terminfo_missing");
        for (entry, code) in [("s/screen-256color", "terminfo_limited"), ("74/tmux-256color", "ok")]
        {
            let path = folder.join(entry);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, "").expect("written");
            assert_eq!(judge_terminfo(&folders).code, code);
        }
        std::fs::remove_dir_all(&folder).expect("cleaned");
    }
}
