//! `ssh.authorize`, `ssh.revoke` and `ssh.list`: checks what was asked and changes the file.

use super::{Failure, tell};
use crate::ssh_keys::expiry::{expiry, sshd_version};
use crate::ssh_keys::key::PublicKey;
use crate::ssh_keys::label;
use crate::ssh_keys::store::Store;
use crate::ssh_keys::text::Text;
use protocol::commands::{Command, Incoming, SshAuthorize, decode};
use protocol::envelope::codes;
use protocol::events::{Event, SshKeys};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// Request: the command. Tells `ssh.keys` where it was asked for.
pub fn run(request: &str) -> Result<String, Failure> {
    let Incoming::Command { command, request_id, .. } = decode(request) else {
        return Err(Failure::new(codes::INVALID_PAYLOAD, "ssh: not a command"));
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    match command {
        Command::SshAuthorize(wanted) => authorize(&wanted, now)?,
        Command::SshRevoke(wanted) => revoke(&wanted.fingerprint, now)?,
        _ => {
            let keys = SshKeys { keys: list(now)? };
            tell(&Event::from(keys).to_json(request_id.as_deref()));
        }
    }
    Ok(String::new())
}

fn authorize(wanted: &SshAuthorize, now: u64) -> Result<(), Failure> {
    let key = PublicKey::read(&wanted.public_key);
    let key = key.map_err(|message| Failure::new(codes::BAD_KEY, message))?;
    label::check(&wanted.label).map_err(|message| Failure::new(codes::BAD_LABEL, message))?;
    let expiry = match wanted.expires_at {
        Some(at) => Some(expiry(at, now, sshd_version())?),
        None => None,
    };
    let store = store()?;
    store.prepare()?;
    store.edit(&mut |before| {
        let mut text = Text::read(before, now);
        text.authorize(&key, &wanted.label, expiry.as_ref())?;
        Ok(text.bytes())
    })
}

fn revoke(fingerprint: &str, now: u64) -> Result<(), Failure> {
    let store = store()?;
    // Without the file there is no key; nothing is made to find that out.
    Text::read(&store.read()?, now).revoke(fingerprint)?;
    let mut left = None;
    store.edit(&mut |before| {
        let mut text = Text::read(before, now);
        left = text.revoke(fingerprint)?;
        Ok(text.bytes())
    })?;
    let Some(number) = left else { return Ok(()) };
    let message = format!(
        "the gateway's line is gone, and yet this key may log in: line {number} of \
         authorized_keys, which the gateway did not write, has it too; remove that line"
    );
    Err(Failure::new(codes::UNKNOWN_KEY, message))
}

fn list(now: u64) -> Result<Vec<protocol::events::SshKey>, Failure> {
    let store = store()?;
    let bytes = store.read()?;
    let text = Text::read(&bytes, now);
    if text.bytes() != bytes {
        // Expired lines are refused by sshd already: a file that cannot be tidied is listed all the
        // same.
        let _ = store.edit(&mut |before| Ok(Text::read(before, now).bytes()));
    }
    Ok(text.keys())
}

fn store() -> Result<Store, Failure> {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let message = "HOME is not set: whose authorized_keys?";
    Store::find(&home.ok_or_else(|| Failure::new(codes::IO, message))?)
}
