//! Documents as a reader takes them: headings, and the commands in the blocks beneath them.

use integration::repository;

/// Those whose commands are run.
pub(crate) const DOCUMENTS: [&str; 6] = [
    "install.md",
    "update.md",
    "uninstall.md",
    "troubleshooting.md",
    "self-host.md",
    "operations.md",
];

/// A command, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) document: &'static str,
    pub(crate) heading: String,
    /// Without the comment behind it.
    pub(crate) text: String,
}

/// The text of a document.
pub(crate) fn read(document: &str) -> String {
    let path = repository().join("docs").join(document);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every command, in the order of the documents.
pub(crate) fn commands() -> Vec<Command> {
    DOCUMENTS.iter().flat_map(|document| commands_of(document, &read(document))).collect()
}

/// What is indented is commands, a line each; what stands between fences is what files hold.
fn commands_of(document: &'static str, text: &str) -> Vec<Command> {
    let (mut found, mut heading, mut fenced) = (Vec::new(), String::new(), false);
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if let (Some(title), false) =
            (line.trim_start_matches('#').strip_prefix(' '), fenced)
            && line.starts_with('#')
        {
            title.clone_into(&mut heading);
        } else if let (Some(command), false) = (line.strip_prefix("    "), fenced) {
            let text = command.split("  #").next().unwrap_or_default().trim().to_owned();
            found.push(Command { document, heading: heading.clone(), text });
        }
    }
    assert!(!fenced, "{document}: a fence without its end");
    found
}

/// A text with the words that stand for something replaced; longer words that hold them stay.
pub(crate) fn filled(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let found = values.iter().find(|(word, _)| {
            let ends = |at: Option<char>| !at.is_some_and(is_word);
            rest.starts_with(word)
                && ends(out.chars().next_back())
                && ends(rest[word.len()..].chars().next())
        });
        match found {
            Some((word, value)) => {
                out.push_str(value);
                rest = &rest[word.len()..];
            }
            None => {
                let mut letters = rest.chars();
                out.extend(letters.next());
                rest = letters.as_str();
            }
        }
    }
    out
}

#[test]
fn commands_are_told_from_what_files_hold() {
    let text = "# One\n\n    a b  # c\n\n```toml\n    x = 1\n# y\n```\n## Two\n\n    d | e\n";
    let found = commands_of("install.md", text);
    let shown: Vec<_> = found.iter().map(|it| (it.heading.as_str(), it.text.as_str())).collect();
    assert_eq!(shown, [("One", "a b"), ("Two", "d | e")]);
    let values = [("TOKEN", "t"), ("https://chatcode.example", "http://h:1")];
    let line = "A_TOKEN=TOKEN https://chatcode.example/TOKEN TOKENS";
    assert_eq!(filled(line, &values), "A_TOKEN=t http://h:1/t TOKENS");
}
