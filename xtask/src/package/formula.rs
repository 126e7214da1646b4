//! The formula by which Homebrew installs the gateway, on macOS and on Linux.

use super::{NAME, Options, binary, changed, filled};
use crate::Result;
use crate::release::sums::sha256;
use std::path::PathBuf;

const FORMULA: &str = include_str!("../../../packaging/homebrew.rb");
const UNIT: &str = include_str!("../../../deploy/chatcode-gateway.user.service");
const LIST: &str = include_str!("../../../deploy/chatcode-gateway.plist");

/// Those that Homebrew runs on.
const TARGETS: [&str; 4] = [
    "aarch64-apple-darwin",
    "x86_64-apple-darwin",
    "aarch64-unknown-linux-musl",
    "x86_64-unknown-linux-musl",
];

/// What Homebrew's files have in the place of what stands in `deploy/`: its own program, the usual
/// settings, and who is logged in.
const UNIT_CHANGES: [(&str, &str); 4] = [
    ("Written by: chatcode-gateway service install", "Of the formula chatcode-gateway"),
    ("systemctl edit chatcode-gateway", "systemctl --user edit chatcode-gateway"),
    ("\"/usr/local/bin/chatcode-gateway\"", "\"@BIN@/chatcode-gateway\""),
    (" --config \"/etc/chatcode/gateway.env\"", ""),
];
const LIST_CHANGES: [(&str, &str); 5] = [
    ("Written by: chatcode-gateway service install", "Of the formula chatcode-gateway"),
    ("/usr/local/bin/chatcode-gateway<", "@BIN@/chatcode-gateway<"),
    ("    <string>--config</string>\n    <string>/etc/chatcode/gateway.env</string>\n", ""),
    ("  <key>UserName</key>\n  <string>vibe</string>\n", ""),
    ("/Library/Logs/", "@LOG@/"),
];

/// Writes the formula beside the binaries.
///
/// # Errors
/// When one of them is missing.
pub fn make(options: &Options, version: &str) -> Result<PathBuf> {
    let (unit, list) = (changed(UNIT, &UNIT_CHANGES)?, changed(LIST, &LIST_CHANGES)?);
    let mut text = filled(
        FORMULA,
        &[
            ("HOMEPAGE", &homepage(&options.url)),
            ("VERSION", version),
            ("URL", &options.url),
            ("UNIT", &indented(&unit)),
            ("PLIST", &indented(&list)),
        ],
    )?;
    for triple in TARGETS {
        let sum = sha256(&std::fs::read(binary(options, triple)?)?);
        text = filled(&text, &[(&format!("SHA256 {triple}"), &sum)])?;
    }
    let path = options.dist.join(format!("{NAME}.rb"));
    std::fs::write(&path, text)?;
    Ok(path)
}

/// Who serves the binaries; Homebrew wants a page.
fn homepage(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => {
            format!("{scheme}://{}", rest.split('/').next().unwrap_or_default())
        }
        _ => "https://localhost".to_owned(),
    }
}

/// In a document that Ruby takes the indentation from.
fn indented(text: &str) -> String {
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("      {line}") };
    text.trim_end().lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_formula_say_nothing_of_another_place() {
        let unit = changed(UNIT, &UNIT_CHANGES).expect("a unit");
        let list = changed(LIST, &LIST_CHANGES).expect("a list");
        for text in [unit, list] {
            assert!(text.contains("@BIN@/chatcode-gateway") && text.contains("run"), "{text}");
            for not in ["/usr/local/bin/chatcode", "/etc/chatcode", "vibe"] {
                assert!(!text.contains(not), "{not}: {text}");
            }
        }
    }

    /// Homebrew itself is not on this machine: Ruby reads the formula, and what it says is done.
    #[test]
    fn the_formula_installs_a_program_and_its_service() {
        let folder = std::env::temp_dir().join(format!("cc-formula-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let program = "#!/bin/sh\ncase $1 in version) echo chatcode-gateway 1.2.3 ;; doctor) \
                       echo no GATEWAY_ID; exit 1 ;; *) echo \"$*\" ;; esac\n";
        for triple in TARGETS {
            std::fs::write(folder.join(format!("{NAME}-{triple}")), program).expect("written");
        }
        let mut options = super::super::options(folder.clone());
        options.url = "https://chatcode.example/releases/v1.2.3".to_owned();
        let formula = make(&options, "1.2.3").expect("a formula");
        let try_it = |formula: &PathBuf| {
            let root = crate::run::root().expect("the repository");
            let mut ruby = std::process::Command::new("ruby");
            ruby.arg("-w").arg(root.join("packaging/try-formula.rb")).arg(formula);
            ruby.arg(folder.join(format!("{NAME}-x86_64-unknown-linux-musl")));
            let output = ruby.arg(folder.join("prefix")).output().expect("ruby runs");
            let said = [output.stdout, output.stderr].concat();
            (output.status.success(), String::from_utf8_lossy(&said).into_owned())
        };
        let (done, said) = try_it(&formula);
        assert!(done && said.contains("brew services start"), "{said}");
        let unit = std::fs::read_to_string(folder.join("prefix/chatcode-gateway.service"));
        assert!(unit.expect("a unit").starts_with("# Of the formula"), "not indented");
        let text = std::fs::read_to_string(&formula).expect("a formula");
        assert!(text.contains("homepage \"https://chatcode.example\"\n"), "{text}");
        let broken = [("depends_on \"tmux\"", ""), ("gateway version", "gateway man"), ("end", "")];
        for (right, wrong) in broken {
            std::fs::write(&formula, text.replace(right, wrong)).expect("written");
            assert!(!try_it(&formula).0, "{right}");
        }
        std::fs::remove_dir_all(&folder).expect("cleaned");
    }
}
