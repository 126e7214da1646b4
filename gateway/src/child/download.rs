//! Reads a file into a pipe, in chunks.
//!
//! On standard output go `open SIZE MODE MTIME`, then each chunk behind its length, four bytes big
//! endian, then a length of 0 and the outcome: the file's digest.

use super::beneath::{Workspace, failure, refused};
use super::{Failure, argument, hex, say};
use protocol::envelope::codes;
use protocol::limits::{FILE_BYTES, FILE_CHUNK_BYTES};
use ring::digest::{Context, SHA256};
use rustix::fd::AsFd as _;
use rustix::fs::OFlags;
use std::fs::{File, Metadata};
use std::io::{Read as _, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Bytes of a chunk's length.
const LENGTH_BYTES: usize = size_of::<u32>();

/// Arguments: workspace, folder that a relative path begins at, path. Answer: the digest in hex.
pub fn run(arguments: &[String]) -> Result<String, Failure> {
    let workspace = argument(arguments, 0)?;
    let (base, path) = (argument(arguments, 1)?, argument(arguments, 2)?);
    let (mut file, there) = open(Path::new(workspace), base, path)?;
    let mode = there.mode() & 0o7777;
    let mtime = u64::try_from(there.mtime()).unwrap_or(0);
    say(&format!("open {} {mode} {mtime}", there.len()));
    let stdout = std::io::stdout().as_fd().try_clone_to_owned();
    let mut stdout = File::from(stdout.map_err(|error| failure(path, error))?);
    let outcome = send(&mut file, &there, path, &mut stdout);
    // Whatever comes now is a line again.
    let _ = stdout.write_all(&[0; LENGTH_BYTES]);
    outcome
}

/// Opens a regular file and nothing else: a FIFO would wait for its writer.
fn open(workspace: &Path, base: &str, path: &str) -> Result<(File, Metadata), Failure> {
    let bad = |why: &str| refused(codes::BAD_PATH, path, why);
    let workspace = Workspace::open(workspace).map_err(|error| failure(path, error))?;
    let wanted = workspace.relative(&Path::new(base).join(path)).map_err(bad)?;
    let found = workspace.find(&wanted, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY);
    let file = File::from(found.map_err(|error| failure(path, error))?);
    let there = file.metadata().map_err(|error| failure(path, error))?;
    if !there.is_file() {
        return Err(bad("it is no regular file"));
    }
    if there.len() > FILE_BYTES {
        let why = format!("it has {} bytes; {FILE_BYTES} are the most", there.len());
        return Err(refused(codes::TOO_LARGE, path, &why));
    }
    Ok((file, there))
}

fn send(
    file: &mut File,
    there: &Metadata,
    path: &str,
    output: &mut impl Write,
) -> Result<String, Failure> {
    let changed = || refused(codes::FILE_CHANGED, path, "it changed while it was read; try again");
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; LENGTH_BYTES + FILE_CHUNK_BYTES];
    let mut left = there.len();
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(FILE_CHUNK_BYTES).min(FILE_CHUNK_BYTES);
        let framed = buffer.get_mut(..LENGTH_BYTES + length).unwrap_or_default();
        let (head, chunk) = framed.split_at_mut(LENGTH_BYTES);
        head.copy_from_slice(&u32::try_from(length).unwrap_or(0).to_be_bytes());
        file.read_exact(chunk).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => changed(),
            _ => failure(path, error),
        })?;
        context.update(chunk);
        let written = output.write_all(framed);
        written.map_err(|_| refused(codes::CANCELLED, path, "the download was cancelled"))?;
        left = left.saturating_sub(length as u64);
    }
    let now = file.metadata().map_err(|error| failure(path, error))?;
    let stamp = |of: &Metadata| (of.len(), of.mtime(), of.mtime_nsec());
    if stamp(&now) != stamp(there) {
        return Err(changed());
    }
    Ok(hex(context.finish().as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn files_alone_are_read_and_changes_are_noticed() {
        let workspace = std::env::temp_dir().join(format!("cc-download-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&workspace);
        std::fs::create_dir_all(workspace.join("folder")).expect("folders");
        let path = workspace.join("file");
        std::fs::write(&path, "abc").expect("written");
        symlink("file", workspace.join("link")).expect("a link");
        let fifo = workspace.join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.expect("mkfifo runs").success());
        let socket = std::os::unix::net::UnixListener::bind(workspace.join("socket"));
        let code = |path: &str| open(&workspace, "", path).map(drop).expect_err(path).code;
        for path in ["", "folder", "link", "fifo", "socket", "file/x", "../x", "/dev/null"] {
            assert_eq!(code(path), codes::BAD_PATH, "{path}");
        }
        assert_eq!(code("none"), codes::NOT_FOUND);
        drop(socket);

        let (mut file, there) = open(&workspace, "folder", &path.to_string_lossy()).expect("open");
        let mut out = Vec::new();
        let digest = send(&mut file, &there, "file", &mut out).expect("sent");
        assert_eq!(out, b"\0\0\0\x03abc");
        assert!(digest.starts_with("ba7816bf"), "{digest}");
        for content in ["abcd", "ab"] {
            let (mut file, there) = open(&workspace, "", "file").expect("open");
            std::fs::write(&path, content).expect("written");
            let failed = send(&mut file, &there, "file", &mut Vec::new()).expect_err("changed");
            assert_eq!(failed.code, codes::FILE_CHANGED);
        }
        File::create(&path).and_then(|file| file.set_len(FILE_BYTES + 1)).expect("a large file");
        assert_eq!(code("file"), codes::TOO_LARGE);
        std::fs::remove_dir_all(&workspace).expect("cleaned");
    }
}
