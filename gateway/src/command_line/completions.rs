//! Completions for bash, zsh and fish.

use super::{COMMANDS, Flag, PROGRAM, Takes};

/// The shells that are known.
pub const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// What `shell` is to read; empty for one that is not known.
pub fn completions(shell: &str) -> String {
    match shell {
        "bash" => bash(),
        "zsh" => zsh(),
        "fish" => fish(),
        _ => String::new(),
    }
}

const BASH: &str = r#"
    *) words= ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _chatcode_gateway chatcode-gateway
"#;

/// `--flag=value` is three words there. Without an answer bash offers files by itself.
fn bash() -> String {
    let mut out = String::from(
        r#"_chatcode_gateway() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words
    if [ "$word" = = ]; then word=; elif [ "$before" = = ]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi
    if [ "$COMP_CWORD" -eq 1 ]; then before=; else before="${COMP_WORDS[1]} $before"; fi
    case $before in
"#,
    );
    let case = |out: &mut String, pattern: &[&str], words: &[&str]| {
        out.extend(["    '", &pattern.concat(), "') words='", &words.join(" "), "' ;;\n"]);
    };
    case(&mut out, &[""], &Takes::Command.choices());
    for command in COMMANDS {
        for flag in command.all_flags().filter(|flag| flag.takes != Takes::Nothing) {
            if let Some(name) = flag.flag {
                case(&mut out, &[command.name, " --", name], &flag.takes.choices());
            }
        }
        let flags = command.all_flags().filter_map(|flag| flag.flag);
        let flags: Vec<String> = flags.map(|name| ["--", name].concat()).collect();
        let words = flags.iter().map(String::as_str).chain(["--help"]);
        let words: Vec<&str> = command.takes().choices().into_iter().chain(words).collect();
        out.extend(["    '", command.name, " '*) words='", &words.join(" "), "' ;;\n"]);
    }
    out.push_str(BASH.trim_start_matches('\n'));
    out
}

const ZSH: &str = r#"    esac
}
if [ "$funcstack[1]" = _chatcode-gateway ]; then
    _chatcode-gateway "$@"
else
    compdef _chatcode-gateway chatcode-gateway
fi
"#;

fn zsh() -> String {
    let mut out = String::from(
        "#compdef chatcode-gateway\n_chatcode-gateway() {\n    local -a found\n    \
         if (( CURRENT == 2 )); then\n        found=(",
    );
    for command in COMMANDS {
        out.extend(["\n            '", command.name, ":", &quoted(command.help), "'"]);
    }
    out.push_str(
        ")\n        _describe command found\n        return\n    fi\n    \
         local command=$words[2]\n    (( CURRENT-- ))\n    shift words\n    case $command in\n",
    );
    for command in COMMANDS {
        out.extend(["    ", command.name, ") _arguments"]);
        for flag in command.all_flags() {
            if let Some(name) = flag.flag {
                let joined = if flag.takes == Takes::Nothing { "" } else { "=" };
                let help = quoted(flag.help).replace('[', "\\[").replace(']', "\\]");
                let value = zsh_value(flag.takes);
                out.extend([" \\\n        '--", name, joined, "[", &help, "]", &value, "'"]);
            }
        }
        if command.takes() != Takes::Nothing {
            out.extend([" \\\n        '1", &zsh_value(command.takes()), "'"]);
        }
        out.push_str(" \\\n        '--help[say more about this command]' ;;\n");
    }
    out.push_str(ZSH);
    out
}

fn zsh_value(takes: Takes) -> String {
    let action = match takes {
        Takes::Nothing => return String::new(),
        Takes::Word(_) => String::new(),
        Takes::File(_) => "_files".to_owned(),
        Takes::Folder(_) => "_files -/".to_owned(),
        Takes::OneOf(..) | Takes::Command => ["(", &takes.choices().join(" "), ")"].concat(),
    };
    [":", takes.name(), ":", &action].concat()
}

fn fish() -> String {
    let mut out = String::from("complete -c chatcode-gateway -f\n");
    for command in COMMANDS {
        let help = quoted(command.help);
        fish_line(&mut out, "__fish_use_subcommand", &["-a ", command.name, " -d '", &help, "'"]);
    }
    for command in COMMANDS {
        let seen = ["__fish_seen_subcommand_from ", command.name].concat();
        for flag in command.all_flags() {
            fish_flag(&mut out, &seen, flag);
        }
        let choices = command.takes().choices();
        if !choices.is_empty() {
            fish_line(&mut out, &seen, &["-a '", &choices.join(" "), "'"]);
        }
        fish_line(&mut out, &seen, &["-l help -d 'say more about this command'"]);
    }
    out
}

fn fish_flag(out: &mut String, seen: &str, flag: &Flag) {
    let Some(name) = flag.flag else { return };
    let value = match flag.takes {
        Takes::Nothing => String::new(),
        Takes::Word(_) => " -x".to_owned(),
        Takes::File(_) | Takes::Folder(_) => " -r -F".to_owned(),
        Takes::OneOf(..) | Takes::Command => {
            [" -x -a '", &flag.takes.choices().join(" "), "'"].concat()
        }
    };
    fish_line(out, seen, &["-l ", name, &value, " -d '", &quoted(flag.help), "'"]);
}

fn fish_line(out: &mut String, condition: &str, rest: &[&str]) {
    out.extend(["complete -c ", PROGRAM, " -n '", condition, "' ", &rest.concat(), "\n"]);
}

/// For between single quotes, and no field of its own where a colon ends one.
fn quoted(text: &str) -> String {
    text.replace('\'', "’").replace(':', " -")
}
