//! Paths that lead out of the workspace, and what is no file.

use super::{all_beneath, code, content, workspace};
use integration::fixture::Stage;
use integration::tempdir::TempDir;
use integration::transfer::{Upload, download, upload};
use protocol::limits::PATH_BYTES;
use std::os::unix::fs::symlink;
use std::process::Command;

#[test]
fn paths_that_leave_the_workspace_are_refused() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    let outside = stage.gateway.home.join("outside").to_string_lossy().into_owned();
    std::fs::write(&outside, "secret").expect("written");
    let long = "x/".repeat(PATH_BYTES);
    let bad =
        ["../outside", "a/../../outside", "..", "/etc/passwd", &outside, "", "/", "./", &long];
    for (id, path) in (0..).zip(bad) {
        for session in [None, Some(1)] {
            assert_eq!(code(download(&mut stage, id, (session, path))), "bad_path", "{path}");
            let refused = upload(&mut stage, id, (session, path), b"x");
            assert_eq!(code(refused), "bad_path", "{path}");
        }
    }
    let name = "x".repeat(300);
    assert_eq!(code(upload(&mut stage, 1, (None, &name), b"x")), "bad_path");
    assert_eq!(std::fs::read(&outside).expect("read"), b"secret");
    // Absolute and beneath is no other place.
    let inside = workspace(&stage).join("inside").to_string_lossy().into_owned();
    upload(&mut stage, 1, (Some(1), &inside), b"x").expect("uploaded");
    assert_eq!(download(&mut stage, 1, (None, "inside")).expect("downloaded"), b"x");
}

#[test]
fn trap_05_links_inside_of_the_workspace_lead_nowhere() {
    let mut stage = Stage::new();
    let outside = TempDir::new();
    std::fs::write(outside.join("secret"), "secret").expect("written");
    let inside = workspace(&stage);
    std::fs::create_dir(inside.join("real")).expect("a folder");
    std::fs::write(inside.join("real/file"), "x").expect("written");
    symlink(outside.path(), inside.join("out")).expect("a link");
    symlink(outside.join("secret"), inside.join("last")).expect("a link");
    symlink(outside.join("new"), inside.join("dangling")).expect("a link");
    symlink("real", inside.join("within")).expect("a link");
    let links = ["out/secret", "last", "dangling", "within/file", "out/deep/new", "out"];
    for (id, path) in (0..).zip(links) {
        assert_eq!(code(download(&mut stage, id, (None, path))), "bad_path", "{path}");
        assert_eq!(code(upload(&mut stage, id, (None, path), b"x")), "bad_path", "{path}");
    }
    assert_eq!(std::fs::read(outside.join("secret")).expect("read"), b"secret");
    assert_eq!(all_beneath(outside.path()), ["secret"]);
}

#[test]
fn a_link_that_comes_while_uploading_is_not_followed() {
    let mut stage = Stage::new();
    let outside = TempDir::new();
    let inside = workspace(&stage);
    std::fs::create_dir(inside.join("a")).expect("a folder");
    // The folder becomes a link: the file goes where the folder is now.
    let going = Upload::begin(&mut stage, 1, (None, "a/file"), &content(200_000)).expect("begun");
    std::fs::rename(inside.join("a"), inside.join("b")).expect("renamed");
    symlink(outside.path(), inside.join("a")).expect("a link");
    going.complete(&mut stage).expect("in place");
    assert!(inside.join("b/file").is_file());
    // A folder that is yet to be made becomes one, and the name itself does.
    let deep = Upload::begin(&mut stage, 2, (None, "c/file"), b"x").expect("begun");
    let last = Upload::begin(&mut stage, 3, (None, "b/last"), b"x").expect("begun");
    symlink(outside.path(), inside.join("c")).expect("a link");
    symlink(outside.join("last"), inside.join("b/last")).expect("a link");
    assert_eq!(code(deep.complete(&mut stage)), "bad_path");
    assert_eq!(code(last.complete(&mut stage)), "bad_path");
    assert_eq!(all_beneath(outside.path()), Vec::<String>::new());
    assert_eq!(all_beneath(&inside), ["a", "b", "b/file", "b/last", "c"]);
}

#[test]
fn only_regular_files_are_read_and_replaced() {
    let mut stage = Stage::new();
    let inside = workspace(&stage);
    let fifo = inside.join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo runs").success());
    std::fs::create_dir(inside.join("folder")).expect("a folder");
    std::fs::write(inside.join("file"), "x").expect("written");
    let _socket = std::os::unix::net::UnixListener::bind(inside.join("socket")).expect("bound");
    for (id, path) in (0..).zip(["fifo", "folder", "socket", "folder/", "file/x"]) {
        assert_eq!(code(download(&mut stage, id, (None, path))), "bad_path", "{path}");
        assert_eq!(code(upload(&mut stage, id, (None, path), b"x")), "bad_path", "{path}");
    }
    assert_eq!(code(download(&mut stage, 1, (None, "none"))), "not_found");
    assert_eq!(code(download(&mut stage, 1, (None, "no/ne"))), "not_found");
}
