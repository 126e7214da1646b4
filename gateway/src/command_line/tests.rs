//! What holds for every entry of the table.

use super::*;

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn parsed(text: &str) -> Parsed {
    match parse(&words(text)).expect(text) {
        Asked::Command(parsed) => parsed,
        other => panic!("{text}: {other:?}"),
    }
}

fn wrong(text: &str) -> String {
    parse(&words(text)).expect_err(text).to_string()
}

/// What is offered for the last of the typed words, with what it means.
fn completed(typed: &str) -> Vec<String> {
    let typed: Vec<String> = typed.split(' ').map(str::to_owned).collect();
    complete(&typed, String::new).lines().map(str::to_owned).collect()
}

/// Each flag of each command, by the command's name.
fn every_flag() -> impl Iterator<Item = (&'static Command, &'static Flag)> {
    COMMANDS
        .iter()
        .flat_map(|command| command.all_flags().into_iter().map(move |flag| (command, flag)))
}

#[test]
fn every_command_and_flag_is_in_help_man_and_completions() {
    let page = man().replace("\\-", "-");
    let overall = overall();
    for command in COMMANDS {
        assert!(overall.contains(&format!("\n  {} ", command.name)), "{}", command.name);
        assert!(page.contains(&format!("\n.SS {}\n", command.name)), "{}", command.name);
        assert!(of_command(command).contains(&help::capital(command.help)), "{}", command.name);
        assert!(completed("").contains(&format!("{}\t{}", command.name, command.help)));
    }
    for (command, flag) in every_flag() {
        let about = of_command(command);
        let section = page.split(&format!("\n.SS {}\n", command.name)).nth(1).expect("a section");
        let section = section.split("\n.S").next().expect("its end");
        let names = flag.variable.into_iter().map(str::to_owned);
        for name in names.chain(flag.flag.map(|name| format!("--{name}"))) {
            assert!(about.contains(&name), "help of {} {name}", command.name);
            assert!(section.contains(&name), "man page of {} {name}", command.name);
        }
        let Some(name) = flag.flag else { continue };
        let words = completed(&format!("{} -", command.name));
        assert!(words.contains(&format!("--{name}\t{}", flag.help)), "{} {name}", command.name);
    }
    for (code, meaning) in EXITS {
        for text in [&overall, &page] {
            assert!(text.contains(&code.to_string()) && text.contains(meaning), "{code}");
        }
    }
}

#[test]
fn help_fits_eighty_columns_and_names_are_their_own() {
    let pages = COMMANDS.iter().map(of_command).chain([overall()]);
    for line in pages.flat_map(|page| page.lines().map(str::to_owned).collect::<Vec<_>>()) {
        assert!(line.chars().count() <= 80, "{line}");
        assert_eq!(line.trim_end(), line);
    }
    let helps = COMMANDS.iter().map(|command| command.help).chain(every_flag().map(|it| it.1.help));
    for help in helps {
        assert!(!help.is_empty() && help.is_ascii() && !help.ends_with('.'), "{help}");
    }
    for (index, command) in COMMANDS.iter().enumerate() {
        assert!(COMMANDS.iter().skip(index + 1).all(|other| other.name != command.name));
        let names: Vec<_> =
            command.all_flags().iter().map(|flag| (flag.flag, flag.variable)).collect();
        assert!(!names.contains(&(Some("help"), None)), "help is everybody's");
        for (index, name) in names.iter().enumerate() {
            assert!(!names[index + 1..].contains(name), "{} {name:?}", command.name);
        }
    }
}

#[test]
fn what_is_typed_is_read_by_the_table() {
    let run = parsed("run --cp-url=wss://a=b --gateway-id pi --gateway-id pi-4");
    assert_eq!(run.command.verb, Verb::Run);
    assert_eq!(run.value("gateway-id"), Some("pi-4"), "the last one counts");
    let settings = run.settings();
    assert_eq!(settings.get("GATEWAY_CP_URL").map(String::as_str), Some("wss://a=b"));
    assert_eq!(settings.len(), 2);
    let list = parsed("list --json");
    assert!(list.has("json") && list.settings().is_empty());
    assert_eq!(parsed("attach -- --odd").word(), Some("--odd"));
    assert_eq!(parsed("attach --config f 7").word(), Some("7"));
    assert_eq!(parsed("notify -3 tests --json -- failed").text(), "-3 tests --json -- failed");
    assert!(matches!(parse(&words("run x --help")), Ok(Asked::Help(Some(_)))));
    assert!(matches!(parse(&[]), Ok(Asked::Help(None))));
    assert!(matches!(parse(&words("_anything")), Ok(Asked::Hidden)));
}

#[test]
fn errors_name_the_word_and_what_was_meant() {
    for (typed, says) in [
        ("rum", "there is no command \"rum\"; did you mean run?\nTry: chatcode-gateway --help"),
        ("--hepl", "no command \"--hepl\""),
        ("xyzzy", "no command \"xyzzy\"\n"),
        ("run --gatewayid x", "run has no flag \"--gatewayid\"; did you mean --gateway-id?"),
        ("run -x", "run has no flag \"-x\"\nTry: chatcode-gateway run --help"),
        ("run --token x", "run has no flag \"--token\""),
        ("run --cp-url", "--cp-url needs a value: --cp-url URL"),
        ("run --cp-url --json", "--cp-url needs a value"),
        ("run now", "run: \"now\" is one word too many"),
        ("run --log-level loud", "--log-level: \"loud\" is none of error, warn, info, debug"),
        ("list --json=yes", "--json takes no value"),
        ("attach 7 8", "attach: \"8\" is one word too many"),
        ("completions", "completions needs SHELL"),
        ("completions tcsh", "completions: \"tcsh\" is none of bash, zsh, fish"),
        ("help rum", "help: \"rum\" is none of run, list"),
    ] {
        assert!(wrong(typed).contains(says), "{typed}: {}", wrong(typed));
    }
    let odd = parse(&["\u{1b}[2J".to_owned()]).expect_err("unknown").to_string();
    assert!(!odd.contains('\u{1b}'), "{odd}");
}
