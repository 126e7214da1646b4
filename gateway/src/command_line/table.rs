//! Every command with its flags, its words and what is said about them.

use super::{Command, Flag, SHELLS, Takes, Verb, Words, exit};
use crate::config::{ABOUT_TMUX, SETTINGS};

const fn flag(name: &'static str, takes: Takes, help: &'static str) -> Flag {
    Flag { flag: Some(name), variable: None, takes, help }
}

const JSON: Flag = flag("json", Takes::Nothing, "as JSON, for programs");

/// What most commands have: nothing but a name.
const PLAIN: Command = Command {
    verb: Verb::Help,
    name: "",
    words: Words::None,
    flags: &[],
    settings: &[],
    help: "",
    text: "",
};

/// Every command, in the order of `--help`.
pub static COMMANDS: &[Command] = &[
    Command {
        verb: Verb::Run,
        name: "run",
        settings: &SETTINGS,
        help: "run the gateway in the foreground",
        text: "Keeps the sessions of this machine and one connection to the control plane. \
               SIGTERM and Ctrl-C end it; the sessions go on, and the next one finds them.\n\
               SIGHUP reads the settings again. Token, URL, limits and log level apply at once; \
               the log names what waits for a restart. Settings that are wrong change nothing.",
        ..PLAIN
    },
    Command {
        verb: Verb::List,
        name: "list",
        flags: &[JSON],
        settings: ABOUT_TMUX,
        help: "list the sessions on this machine",
        text: "Newest activity first. Only those of the user who asks are found.",
        ..PLAIN
    },
    Command {
        verb: Verb::Attach,
        name: "attach",
        words: Words::Maybe(Takes::Session),
        settings: ABOUT_TMUX,
        help: "show a session in this terminal",
        text: "SESSION is its number or its name; without it, the only one. Ctrl-B D leaves the \
               session, and it goes on.",
        ..PLAIN
    },
    Command {
        verb: Verb::Notify,
        name: "notify",
        words: Words::Text("TITLE"),
        help: "from within a session: tell its person",
        text: "For the hooks of agents: whoever has the session open in a browser, or is to be \
               called there, sees TITLE.",
        ..PLAIN
    },
    Command {
        verb: Verb::Service,
        name: "service",
        words: Words::One(Takes::OneOf("ACTION", &["install", "uninstall", "status"])),
        flags: &[
            flag("user", Takes::Nothing, "of this user alone, and beneath their manager"),
            flag("system", Takes::Nothing, "of the machine; what root gets without a flag"),
            flag("run-as", Takes::Word("NAME"), "with --system: whose sessions these are"),
            flag("config", Takes::File("FILE"), "the settings, instead of the usual file"),
            flag("binary", Takes::File("FILE"), "what the service runs, instead of this program"),
            flag("dry-run", Takes::Nothing, "only show what would be written and run"),
        ],
        help: "have systemd or launchd run the gateway",
        text: "install writes the service, or renews it, and starts it; uninstall stops and \
               removes it. Sessions, settings and state are never touched.\n\
               status says in words and by its exit code whether the gateway is installed and \
               runs.",
        ..PLAIN
    },
    Command {
        verb: Verb::Doctor,
        name: "doctor",
        flags: &[JSON],
        settings: &SETTINGS,
        help: "look at all that can be wrong, and say what to do",
        text: "Configuration, the way to the control plane, the clock, tmux, folders, disk, memory, \
               SSH keys, agents and the service. It takes at most 10 seconds and disturbs no \
               gateway that runs.",
        ..PLAIN
    },
    Command {
        verb: Verb::SelfTest,
        name: "self-test",
        settings: &SETTINGS,
        help: "whether this binary could run the gateway here",
        text: "Reads the settings, the certificates and the version of tmux, and prints its own \
               version. An update asks the new binary for it before it takes the old one's place.",
        ..PLAIN
    },
    Command {
        verb: Verb::Completions,
        name: "completions",
        words: Words::One(Takes::OneOf("SHELL", &SHELLS)),
        help: "print what makes a shell complete these words",
        text: "bash: in ~/.local/share/bash-completion/completions/chatcode-gateway\n\
               zsh: in a folder of $fpath, as _chatcode-gateway\n\
               fish: in ~/.config/fish/completions/chatcode-gateway.fish",
        ..PLAIN
    },
    Command {
        verb: Verb::Man,
        name: "man",
        help: "print the man page",
        text: "To read it: chatcode-gateway man | man -l -",
        ..PLAIN
    },
    Command { verb: Verb::Version, name: "version", help: "print the version", ..PLAIN },
    Command {
        verb: Verb::Help,
        name: "help",
        words: Words::Maybe(Takes::Command),
        help: "print this, or more about a command",
        ..PLAIN
    },
];

/// What each exit code means.
pub static EXITS: &[(u8, &str)] = &[
    (exit::DONE, "done"),
    (exit::FAILED, "it was tried and failed; standard error says why"),
    (exit::WARNED, "doctor: warnings, and nothing that fails"),
    (exit::STOPPED, "service status: installed, but not running"),
    (exit::ABSENT, "service status: not installed"),
    (exit::USAGE, "words or settings that cannot be used"),
    (exit::NO_INPUT, "there is no such session, or no such file"),
    (exit::UNAVAILABLE, "tmux or the service manager is not here or does not answer"),
];

/// Files that are read and kept.
pub static FILES: &[(&str, &str)] = &[
    (
        "/etc/chatcode/gateway.env",
        "Settings, a line NAME=value each. Without it ~/.config/chatcode/gateway.env is read.",
    ),
    (
        "~/.local/state/chatcode",
        "What the gateway keeps: the token that enrolment brought, and marks of its sessions.",
    ),
];
