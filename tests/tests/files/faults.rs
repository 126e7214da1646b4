//! What goes wrong on the disk and on the wire: one clear error, and nothing left.

use super::{all_beneath, code, content, workspace};
use integration::fixture::Stage;
use integration::gateway::{Gateway, binary};
use integration::link::Link;
use integration::mock_cp::MockCp;
use integration::process::Running;
use integration::transfer::{Download, Upload, chunk, download, take_error, upload};
use protocol::commands::{FileCancel, FileUploadBegin, FileUploadEnd};
use protocol::limits::{FILE_BYTES, FILE_CHUNK_BYTES};
use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// Waits for the error that ends a transfer.
fn error(link: &mut Link, id: u32) -> String {
    link.until("file.error", |link| take_error(link, id)).code
}

#[test]
fn what_breaks_the_contract_ends_the_upload_and_no_other() {
    let mut stage = Stage::new();
    let file = content(5 * FILE_CHUNK_BYTES);
    let full = &file[..FILE_CHUNK_BYTES];
    let other = Upload::begin(&mut stage, 99, (None, "other"), &file).expect("begun");
    for (id, chunks) in [
        (1, vec![(1, full)]),
        (2, vec![(0, &full[1..])]),
        (3, vec![(0, full), (0, full)]),
        (4, vec![(0, full), (1, b"".as_slice())]),
    ] {
        Upload::begin(&mut stage, id, (None, "file"), &file).expect("begun");
        for (seq, payload) in chunks {
            stage.send_binary(chunk(id, seq, payload));
        }
        assert_eq!(error(&mut stage, id), "bad_chunk", "{id}");
        let over = stage.request(FileCancel { transfer_id: id }).expect_err("it is over");
        assert_eq!(over.code, "unknown_transfer");
    }
    // More than was announced, and less.
    Upload::begin(&mut stage, 5, (None, "file"), b"").expect("begun");
    stage.send_binary(chunk(5, 0, b"x"));
    assert_eq!(error(&mut stage, 5), "bad_chunk");
    Upload::begin(&mut stage, 6, (None, "file"), b"abc").expect("begun");
    let end = |transfer_id, digit: &str| FileUploadEnd { transfer_id, sha256: digit.repeat(64) };
    assert_eq!(stage.request(end(6, "A")).expect_err("no digest").code, "invalid_payload");
    assert_eq!(stage.request(end(6, "a")).expect_err("short").code, "bad_chunk");
    assert_eq!(error(&mut stage, 6), "bad_chunk");
    // Another digest.
    Upload::begin(&mut stage, 7, (None, "file"), b"").expect("begun");
    assert_eq!(stage.request(end(7, "0")).expect_err("wrong").code, "bad_checksum");
    assert_eq!(error(&mut stage, 7), "bad_checksum");
    assert_eq!(stage.request(end(8, "0")).expect_err("none").code, "unknown_transfer");
    // Frames of nobody are dropped.
    stage.send_binary(chunk(4_000_000_000, 0, b"x"));
    stage.send_binary(vec![2, 0, 0]);
    other.complete(&mut stage).expect("the other is in place");
    assert_eq!(all_beneath(&workspace(&stage)), ["other"]);
}

#[test]
fn what_is_too_large_is_refused_at_once() {
    let mut stage = Stage::new();
    let begin = |size| FileUploadBegin {
        transfer_id: 1,
        session_id: None,
        dest_path: "file".to_owned(),
        size,
    };
    for size in [FILE_BYTES + 1, u64::MAX / 2] {
        assert_eq!(stage.request(begin(size)).expect_err("too large").code, "too_large");
    }
    let path = workspace(&stage).join("large");
    File::create(&path).and_then(|file| file.set_len(FILE_BYTES + 1)).expect("a large file");
    assert_eq!(code(download(&mut stage, 2, (None, "large"))), "too_large");
}

#[test]
fn a_file_that_changes_while_it_is_read_is_told() {
    let mut stage = Stage::new();
    let path = workspace(&stage).join("file");
    let truncate: fn(&mut File) = |file| file.set_len(5 << 20).expect("truncated");
    let append: fn(&mut File) = |file| file.write_all(b"x").expect("written");
    for (id, change) in [(1, truncate), (2, append)] {
        std::fs::write(&path, content(20 << 20)).expect("written");
        let going = Download::begin(&mut stage, id, (None, "file")).expect("begun");
        change(&mut File::options().append(true).open(&path).expect("open"));
        assert_eq!(code(going.complete(&mut stage)), "file_changed");
    }
    // One that is replaced is another file: the old one is read to its end.
    let old = content(20 << 20);
    std::fs::write(&path, &old).expect("written");
    let going = Download::begin(&mut stage, 3, (None, "file")).expect("begun");
    upload(&mut stage, 4, (None, "file"), b"new").expect("replaced");
    assert!(going.complete(&mut stage).expect("the old one") == old);
}

#[test]
fn a_folder_that_vanishes_is_missed() {
    let mut stage = Stage::new();
    let folder = workspace(&stage).join("folder");
    std::fs::create_dir(&folder).expect("a folder");
    let going = Upload::begin(&mut stage, 1, (None, "folder/file"), b"x").expect("begun");
    std::fs::remove_dir_all(&folder).expect("removed");
    assert_eq!(code(going.complete(&mut stage)), "not_found");
    assert_eq!(all_beneath(&workspace(&stage)), Vec::<String>::new());
}

/// A gateway that `wrapper` starts, as `exec "$@"` at its end would.
fn wrapped(cp: &MockCp, gateway: &Gateway, wrapper: &[&str]) -> (Running, Link) {
    let plain = gateway.command();
    let mut command = Command::new(wrapper[0]);
    command.args(&wrapper[1..]).arg(gateway.home.join("gateway")).arg("run").env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let log = File::create(gateway.log_path()).expect("a log");
    std::fs::copy(binary(), gateway.home.join("gateway")).expect("copied");
    let running = Running::start(command.stderr(log));
    (running, cp.accept())
}

#[test]
fn a_full_disk_and_a_read_only_one_are_told() {
    let mounts = Command::new("unshare").args(["--mount", "true"]).output();
    if !mounts.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: a_full_disk_and_a_read_only_one_are_told: nothing can be mounted here");
        return;
    }
    let cp = MockCp::new();
    let gateway = Gateway::new(&cp.url());
    let workspace = gateway.home.join("workspace");
    for folder in ["small", "frozen"] {
        std::fs::create_dir(workspace.join(folder)).expect("a folder");
    }
    // In a mount namespace of the gateway's own, which is gone with it.
    let script = "mount -t tmpfs -o size=1m none \"$0/small\" && echo old >\"$0/small/file\" && \
        mount --bind \"$0/frozen\" \"$0/frozen\" && mount -o remount,bind,ro \"$0/frozen\" && \
        exec \"$@\"";
    let folder = workspace.to_string_lossy().into_owned();
    let wrapper = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, &folder];
    let (running, mut link) = wrapped(&cp, &gateway, &wrapper);
    let failed = upload(&mut link, 1, (None, "small/file"), &content(2 << 20));
    assert_eq!(code(failed), "disk_full");
    let inside = format!("/proc/{}/root{folder}/small", running.id());
    assert_eq!(all_beneath(inside.as_ref()), ["file"], "nothing is left of it");
    assert_eq!(download(&mut link, 2, (None, "small/file")).expect("the old one"), b"old\n");
    upload(&mut link, 3, (None, "small/file"), &content(500_000)).expect("what fits");
    assert_eq!(code(upload(&mut link, 4, (None, "frozen/x"), b"x")), "permission_denied");
    assert_eq!(code(upload(&mut link, 5, (None, "frozen/new/x"), b"x")), "permission_denied");
}

#[test]
fn what_the_gateway_s_user_may_not_do_is_told() {
    let cp = MockCp::new();
    let gateway = Gateway::new(&cp.url());
    let workspace = gateway.home.join("workspace");
    std::fs::create_dir(workspace.join("locked")).expect("a folder");
    std::fs::create_dir(workspace.join("closed")).expect("a folder");
    std::fs::write(workspace.join("secret"), "x").expect("written");
    std::fs::write(workspace.join("closed/file"), "x").expect("written");
    // Root may do anything, so that its tests run the gateway as somebody else.
    let root = rustix::process::geteuid().is_root();
    if root {
        let home = gateway.home.path();
        let given = Command::new("chown").args(["-R", "65534:65534"]).arg(home).status();
        assert!(given.expect("chown runs").success());
    }
    for (path, mode) in [("secret", 0o000), ("locked", 0o555), ("closed", 0o000)] {
        std::fs::set_permissions(workspace.join(path), Permissions::from_mode(mode)).expect("set");
    }
    let somebody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let wrapper = if root { somebody.as_slice() } else { &["env"] };
    let (running, mut link) = wrapped(&cp, &gateway, wrapper);
    for path in ["secret", "closed/file"] {
        assert_eq!(code(download(&mut link, 1, (None, path))), "permission_denied", "{path}");
    }
    for path in ["locked/x", "locked/new/x", "closed/x"] {
        let refused = upload(&mut link, 1, (None, path), b"x");
        assert_eq!(code(refused), "permission_denied", "{path}");
    }
    drop(running);
    for path in ["locked", "closed"] {
        std::fs::set_permissions(workspace.join(path), Permissions::from_mode(0o755)).expect("set");
    }
}
