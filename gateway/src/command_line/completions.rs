//! Completions for bash, zsh and fish: small scripts that ask this binary, which asks the table.
//!
//! An answer is a line for each word, with what it means behind a tab. Without one the shell
//! offers files.

use super::{COMMANDS, Command, Flag, Takes, add, command, joined};

/// The shells that are known.
pub const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// The hidden subcommand that the scripts run with the words up to the cursor.
pub const COMPLETE: &str = "_complete";

/// What `shell` is to read; empty for one that is not known.
pub fn completions(shell: &str) -> &'static str {
    match shell {
        "bash" => BASH,
        "zsh" => ZSH,
        "fish" => FISH,
        _ => "",
    }
}

/// For bash `--flag=value` is three words.
const BASH: &str = r#"_chatcode_gateway() {
    local IFS=$'\n' found
    found=$("$1" _complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1)
    COMPREPLY=($(compgen -W "$found" -- "${COMP_WORDS[COMP_CWORD]#=}"))
}
complete -o default -F _chatcode_gateway chatcode-gateway
"#;

const ZSH: &str = r#"#compdef chatcode-gateway
_chatcode-gateway() {
    local -a found
    found=("${(@f)$("$words[1]" _complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n "$found" ]]; then
        found=("${(@)found/$'\t'/:}")
        _describe word found
    else
        compset -P '*='
        _files
    fi
}
if [[ "$funcstack[1]" = _chatcode-gateway ]]; then
    _chatcode-gateway "$@"
else
    compdef _chatcode-gateway chatcode-gateway
fi
"#;

const FISH: &str = r#"function __chatcode_gateway
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l found ($words[1] _complete $words[2..-1] "$last" 2>/dev/null)
    if set -q found[1]
        printf '%s\n' $found
    else
        __fish_complete_path $last
    end
end
complete -c chatcode-gateway -f -a '(__chatcode_gateway)'
"#;

/// The words that can stand in the place of the last of `words`. `sessions` are asked when one of
/// them can.
pub fn complete(words: &[String], sessions: impl Fn() -> String) -> String {
    let mut out = String::new();
    let Some((last, before)) = words.split_last() else { return out };
    let Some((name, before)) = before.split_first() else {
        for command in COMMANDS {
            line(&mut out, "", command.name, command.help);
        }
        return out;
    };
    let Some(command) = command(name) else { return out };
    let before = match before.split_last() {
        Some((equals, before)) if equals == "=" => before,
        _ => before,
    };
    let (dashed, one_word) = match last.split_once('=') {
        Some((dashed, _)) if !dashed.is_empty() => (Some(dashed), true),
        _ => (before.last().map(String::as_str), false),
    };
    if let Some(flag) = dashed.and_then(|dashed| find(command, dashed)) {
        let start =
            if one_word { joined(&[dashed.unwrap_or_default(), "="]) } else { String::new() };
        values(&mut out, &start, flag.takes);
        return out;
    }
    if !last.starts_with('-') {
        values(&mut out, "", command.takes());
        if command.takes() == Takes::Session {
            out.push_str(&sessions());
        }
    }
    if out.is_empty() {
        for flag in command.all_flags() {
            if let Some(name) = flag.flag {
                line(&mut out, "--", name, flag.help);
            }
        }
        line(&mut out, "--", "help", "say more about this command");
    }
    out
}

/// The flag of this name that takes a value.
fn find(command: &Command, dashed: &str) -> Option<&'static Flag> {
    let name = dashed.strip_prefix("--")?;
    let takes = |flag: &&Flag| flag.flag == Some(name) && flag.takes != Takes::Nothing;
    command.all_flags().into_iter().find(takes)
}

fn values(out: &mut String, start: &str, takes: Takes) {
    for choice in takes.choices() {
        let help = match takes {
            Takes::Command => command(choice).map_or("", |command| command.help),
            _ => "",
        };
        line(out, start, choice, help);
    }
}

fn line(out: &mut String, start: &str, word: &str, help: &str) {
    let gap = if help.is_empty() { "" } else { "\t" };
    add(out, &[start, word, gap, help, "\n"]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(typed: &str) -> Vec<String> {
        let typed: Vec<String> = typed.split(' ').map(str::to_owned).collect();
        let answer = complete(&typed, || "7\tapi\n".to_owned());
        answer.lines().filter_map(|line| line.split('\t').next()).map(str::to_owned).collect()
    }

    #[test]
    fn each_place_has_its_words() {
        assert!(words("").contains(&"run".to_owned()));
        assert_eq!(words("completions "), SHELLS);
        let levels = ["error", "warn", "info", "debug"];
        assert_eq!(words("run --log-level "), levels);
        assert_eq!(words("run --log-level ="), levels, "bash");
        assert_eq!(words("run --log-level = w"), levels, "bash");
        assert_eq!(words("run --log-level=w"), levels.map(|level| format!("--log-level={level}")));
        assert_eq!(words("run --config "), Vec::<String>::new(), "files");
        assert_eq!(words("attach "), ["7"]);
        assert_eq!(words("attach -"), ["--tmux-socket", "--config", "--help"]);
        assert_eq!(words("list --json "), ["--json", "--tmux-socket", "--config", "--help"]);
        assert_eq!(words("nonsense "), Vec::<String>::new());
    }
}
