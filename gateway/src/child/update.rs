//! Fetches, checks and installs a new version of this binary. The gateway then becomes it.

use super::{Failure, argument};
use crate::config::Config;
use crate::limits::{SELF_TEST_BYTES, SELF_TEST_MS};
use crate::tmux::version::Version;
use crate::update::attempt::{self, Disk as _, Phase, Record};
use crate::update::fetch;
use crate::update::install::{BINARY_MODE, Files};
use crate::update::manifest::{self, Manifest};
use protocol::commands::{Command as Incoming, Incoming as Text, decode};
use protocol::envelope::codes;
use rustix::fs::FlockOperation;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Time between two looks at the self-test.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Arguments: state folder, seconds that the download may take, the gateway's own flags. Request:
/// the command, whose signature the gateway has checked. Answer: the binary to become.
pub fn run(arguments: &[String], request: &str) -> Result<String, Failure> {
    // An update that outlives its gateway would meet the update of the next one.
    crate::os::die_with_parent();
    let parent = rustix::process::getppid();
    let (request_id, manifest) = read_request(request)?;
    let state = Path::new(argument(arguments, 0)?);
    let seconds = argument(arguments, 1)?.parse().unwrap_or(0);
    let flags = arguments.get(2..).unwrap_or_default();
    let mut files = Files::own(state).map_err(io_failure)?;
    if let Some(how) = files.renewed_by() {
        let message = format!("a package owns {}: {how}", files.binary.display());
        return Err(Failure::new(codes::PERMISSION_DENIED, message));
    }
    let _lock = lock(&files.binary)?;

    let version = manifest.version.clone();
    let why = String::new();
    let record = Record { phase: Phase::Fetching, version, request_id, why };
    attempt::begin(&mut files, &record).map_err(io_failure)?;
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let installed = download(&files, &manifest, deadline)
        .and_then(|()| try_out(&files.new_file(), &manifest.version, flags))
        .and_then(|()| match rustix::process::getppid() == parent {
            true => attempt::swap(&mut files, &record).map_err(io_failure),
            false => Err(Failure::new(codes::CANCELLED, "the gateway ended")),
        });
    if let Err(failure) = installed {
        files.discard();
        return Err(failure);
    }
    Ok(files.binary.to_string_lossy().into_owned())
}

/// Whether this build can do here what a gateway does: its configuration was read already.
///
/// # Errors
/// What it cannot do.
pub fn self_test(config: &Config) -> Result<(), String> {
    if config.cp_url.secure {
        crate::link::tls::client_config()?;
    }
    // Without any tmux the version before this one has no sessions either.
    let Ok(tmux) = Command::new("tmux").arg("-V").output() else { return Ok(()) };
    let found = String::from_utf8_lossy(&tmux.stdout);
    match Version::read(&found).filter(|version| version.is_supported()) {
        Some(_) => Ok(()),
        None => Err(format!("found \"{}\", need tmux 3.0a or later", found.trim())),
    }
}

fn read_request(request: &str) -> Result<(String, Manifest), Failure> {
    let Text::Command { request_id, command: Incoming::GatewayUpdate(update) } = decode(request)
    else {
        return Err(Failure::new(codes::INVALID_PAYLOAD, "gateway.update: not a command"));
    };
    let (_, manifest) =
        manifest::read(&update.manifest).map_err(|why| Failure::new(codes::BAD_MANIFEST, why))?;
    Ok((request_id.unwrap_or_default(), manifest))
}

/// Several gateways may share a binary; one of them updates it.
fn lock(binary: &Path) -> Result<File, Failure> {
    let file = File::open(binary)
        .map_err(|error| io_failure(format!("cannot read {}: {error}", binary.display())))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let message = format!("another gateway is updating {}", binary.display());
            Err(Failure::new(codes::BUSY, message))
        }
        // Where files cannot be locked there is one gateway at most.
        _ => Ok(file),
    }
}

/// Fetches the file, and looks at it again from the disk.
fn download(files: &Files, manifest: &Manifest, deadline: Instant) -> Result<(), Failure> {
    let path = files.new_file();
    let written = |error: io::Error| {
        let code = match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                codes::PERMISSION_DENIED
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => codes::DISK_FULL,
            _ => codes::IO,
        };
        Failure::new(code, format!("cannot write {}: {error}", path.display()))
    };
    let mut options = File::options();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&path).map_err(written)?;
    let mut broken = None;
    let fetched = fetch::get(&manifest.url, manifest.size, deadline, &mut |bytes| {
        file.write_all(bytes).map_err(|error| {
            let message = error.to_string();
            broken = Some(error);
            message
        })
    });
    if let Some(error) = broken {
        return Err(written(error));
    }
    fetched.map_err(|why| Failure::new(codes::DOWNLOAD_FAILED, why))?;
    let mode = std::fs::Permissions::from_mode(BINARY_MODE);
    file.set_permissions(mode).and_then(|()| file.sync_all()).map_err(written)?;
    drop(file);
    if hash(&path).map_err(written)? != manifest.sha256 {
        let message = "the bytes that came have another SHA-256 than the manifest says";
        return Err(Failure::new(codes::DOWNLOAD_FAILED, message));
    }
    Ok(())
}

fn hash(path: &Path) -> io::Result<[u8; manifest::DIGEST_BYTES]> {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => context.update(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let digest = context.finish();
    digest.as_ref().try_into().map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Runs the new file as it will be run, but for its command: it must know itself by the manifest's
/// version, and accept the flags, the environment and the configuration.
fn try_out(path: &Path, version: &str, flags: &[String]) -> Result<(), Failure> {
    let failed = |why: String| {
        Failure::new(codes::SELF_TEST_FAILED, format!("{version} does not work here: {why}"))
    };
    let mut command = Command::new(path);
    command.arg("self-test").args(flags).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(format!("it cannot start: {error}")))?;
    let status = wait(&mut child).map_err(failed)?;
    let said = child.stdout.take().map(first_bytes).unwrap_or_default();
    if !status.success() {
        let complaint = child.stderr.take().map(first_bytes).unwrap_or_default();
        let last = complaint.lines().last().unwrap_or_default();
        return Err(failed(format!("{status}: {last}")));
    }
    if said.trim_end() != format!("chatcode-gateway {version}") {
        return Err(failed(format!("it says that it is {:.100}", said.trim_end())));
    }
    Ok(())
}

fn wait(child: &mut Child) -> Result<ExitStatus, String> {
    let deadline = Instant::now() + Duration::from_millis(SELF_TEST_MS);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(LOOK_AGAIN),
            outcome => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(match outcome {
                    Err(error) => error.to_string(),
                    Ok(_) => format!("its test did not end within {SELF_TEST_MS} ms"),
                });
            }
        }
    }
}

/// What is in the pipe of a process that has ended; one that it left behind is not waited for.
fn first_bytes(mut pipe: impl io::Read) -> String {
    let mut bytes = [0; SELF_TEST_BYTES];
    let count = pipe.read(&mut bytes).unwrap_or(0);
    String::from_utf8_lossy(bytes.get(..count).unwrap_or_default()).into_owned()
}

fn io_failure(message: impl Into<String>) -> Failure {
    Failure::new(codes::IO, message)
}
