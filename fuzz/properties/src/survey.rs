//! What tmux and children print at the start: versions, lists of sessions, answers.

use chatcode_gateway::child::read_answer;
use chatcode_gateway::tmux::server::Found;
use chatcode_gateway::tmux::version::Version;
use protocol::limits::is_gateway_id;

pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines() {
        let id = line.split('|').next().unwrap_or_default();
        if let Some(found) = Found::read(line, id) {
            assert!(found.remembered.mirror.len() <= line.len() / 2);
            if is_gateway_id(id) {
                let other = format!("{id}x");
                assert_eq!(Found::read(line, &other), None, "another gateway's stays alone");
            }
        }
        if let Some(version) = Version::read(line) {
            let again = Version::read(&format!("tmux {version}"));
            assert_eq!(again, Some(version), "what is printed is read again");
        }
    }
    if let Err((code, _)) = read_answer(&text) {
        assert!(!code.contains(' '));
    }
}
