//! Files on their way to the session's folder and back, and their paths at the prompt.

use super::{DESKTOP, folder_of, until};
use integration::PATIENCE;
use integration::browser::{GivenFile, id};
use integration::patterns::noise;
use integration::stack::Stack;
use std::path::Path;

/// The largest file that may be transferred.
const LARGEST: usize = protocol::limits::FILE_BYTES as usize;

/// Waits until a file holds these bytes.
fn until_file(path: &Path, bytes: &[u8]) {
    integration::eventually(&format!("{}", path.display()), PATIENCE, || {
        std::fs::read(path).is_ok_and(|read| read == bytes).then_some(())
    });
}

#[test]
fn dropped_files_arrive_and_their_paths_are_typed() {
    let (stack, page) = Stack::new(DESKTOP);
    let session = stack.create_session(&page, "Files");
    let folder = folder_of(&stack, session);
    let home = stack.gateway.home.path();
    let (first, second) = (noise(1, 300_000), noise(2, 1));
    std::fs::write(home.join("first"), &first).expect("written");
    std::fs::write(home.join("second"), &second).expect("written");
    let given = |path: &'static str, name: &'static str| (home.join(path), name);
    let files = [given("first", "it's a report.pdf"), given("second", "../b.txt")];
    let files = files.each_ref().map(|(path, name)| GivenFile { path, name, media_type: "" });

    // What is dropped on a prompt is typed there, and nothing runs.
    page.line("PS1='> '; clear");
    page.type_in("echo ");
    page.expect("> echo");
    page.drag_over("terminal", &files);
    page.wait(&id("drop-zone"));
    page.screenshot("terminal-drop-zone");
    page.drop_files("terminal", &files);
    page.wait_gone(&id("drop-zone"));
    page.expect(r"> echo 'it'\''s a report.pdf' b.txt");
    page.screenshot("terminal-dropped");
    until_file(&folder.join("it's a report.pdf"), &first);
    until_file(&folder.join("b.txt"), &second);
    page.press("Enter");
    page.expect("it's a report.pdf b.txt");

    // A name that is taken is left alone; after an Enter a person decides.
    page.line("sleep 1000");
    page.expect("> sleep 1000");
    std::fs::write(home.join("first"), b"other").expect("written");
    page.drop_files("terminal", &files[..1]);
    page.expect(r"'it'\''s a report-2.pdf'");
    until_file(&folder.join("it's a report-2.pdf"), b"other");
    until_file(&folder.join("it's a report.pdf"), &first);
    page.press("Control+c");

    // Too large is said before anything is sent; what cannot be stored, after.
    std::fs::write(home.join("first"), vec![0; LARGEST + 1]).expect("written");
    page.choose_files("file-chooser", &[&home.join("first")]);
    page.wait(&format!("{}[data-state=\"failed\"]", id("upload")));
    let shown = page.text("uploads");
    assert!(shown.contains("20 MiB"), "{shown}");
    page.screenshot("terminal-too-large");
    page.click("upload-cancel");
    assert!(!folder.join("first").exists());
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}

#[test]
fn an_upload_is_cancelled_refused_and_tried_again() {
    let (stack, page) = Stack::new(DESKTOP);
    let session = stack.create_session(&page, "Uploads");
    let folder = folder_of(&stack, session);
    let home = stack.gateway.home.path();
    std::fs::write(home.join("large.bin"), noise(3, LARGEST)).expect("written");
    std::fs::write(home.join("small.txt"), b"small").expect("written");

    // Held back on its way: the page's own requests wait until they are told to go on.
    page.run(
        "(() => { const send = XMLHttpRequest.prototype.send; window.held = []; \
         XMLHttpRequest.prototype.send = function (body) { \
         window.held.push({ size: body.size, go: () => send.call(this, body) }); }; })()",
    );
    page.choose_files("file-chooser", &[&home.join("large.bin"), &home.join("small.txt")]);
    until(&page, "both are under way", "window.held.length === 2");
    page.wait_count("upload", 2);
    page.screenshot("terminal-uploads");
    // The first in the list is the large one.
    page.click("upload-cancel");
    page.wait_count("upload", 1);
    page.run("window.held.find(({ size }) => size === 5).go()");
    page.expect("small.txt");
    assert!(folder.join("small.txt").exists() && !folder.join("large.bin").exists());

    // What the server refuses is said, and tried again when it may work.
    std::fs::write(home.join("again.txt"), b"again").expect("written");
    page.run("window.held = []");
    page.choose_files("file-chooser", &[&home.join("again.txt")]);
    until(&page, "it is under way", "window.held.length === 1");
    // Root may write everywhere; so a file stands where the folder was.
    std::fs::rename(&folder, folder.with_extension("moved")).expect("moved");
    std::fs::write(&folder, b"in the way").expect("written");
    page.run("window.held[0].go()");
    page.wait(&format!("{}[data-state=\"failed\"]", id("upload")));
    page.screenshot("terminal-upload-failed");
    std::fs::remove_file(&folder).expect("removed");
    std::fs::rename(folder.with_extension("moved"), &folder).expect("moved");
    page.run("window.held = []");
    page.click("upload-retry");
    until(&page, "it is under way again", "window.held.length === 1");
    page.run("window.held[0].go()");
    until_file(&folder.join("again.txt"), b"again");
    page.expect("again.txt");
}

#[test]
fn a_pasted_picture_gets_a_name_and_files_come_back() {
    let (stack, page) = Stack::new(DESKTOP);
    let session = stack.create_session(&page, "Pictures");
    let folder = folder_of(&stack, session);

    // A real clipboard with a real picture, as a screenshot leaves it there.
    let base64 = page.run(
        "(async () => { const canvas = new OffscreenCanvas(40, 30); \
         const pen = canvas.getContext('2d'); pen.fillStyle = '#178a55'; pen.fillRect(5, 5, 20, 20); \
         const blob = await canvas.convertToBlob({ type: 'image/png' }); \
         await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]); return true; })()",
    );
    assert_eq!(base64, true);
    page.click("terminal");
    page.press("Control+Shift+v");
    let name = integration::eventually("the picture", PATIENCE, || {
        let names = std::fs::read_dir(&folder).ok()?.filter_map(Result::ok);
        let mut names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.find(|name| name.starts_with("pasted-20") && name.ends_with(".png"))
    });
    page.expect(&name);
    let picture = std::fs::read(folder.join(&name)).expect("read");
    assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n") && picture.ends_with(b"IEND\xaeB`\x82"));
    page.screenshot("terminal-pasted-picture");
    page.press("Control+c");

    // Down again, by the path that is selected.
    let bytes = noise(4, 200_000);
    std::fs::create_dir(folder.join("out")).expect("made");
    std::fs::write(folder.join("out/data.bin"), &bytes).expect("written");
    page.line("clear; echo out/data.bin:12");
    // The line itself, not the command that prints it.
    until(
        &page,
        "it is selected",
        "(() => { const terminal = window.chatcodeTerminal, buffer = terminal.buffer.active; \
         for (let row = 0; row < buffer.length; row += 1) if (buffer.getLine(row) \
         .translateToString(true) === 'out/data.bin:12') terminal.select(0, row, 15); \
         return terminal.getSelection() === 'out/data.bin:12'; })()",
    );
    page.press("Control+Shift+d");
    page.wait(&id("download-path"));
    assert_eq!(
        page.run("document.querySelector('[data-testid=download-path]').value"),
        "out/data.bin"
    );
    page.screenshot("terminal-download");
    let saved = stack.gateway.home.join("saved");
    assert_eq!(page.download("download-start", &saved), "data.bin");
    assert!(std::fs::read(&saved).expect("saved") == bytes, "it comes down as it was");

    // What is not there is said where the path stands.
    page.wait_gone(&id("download-path"));
    page.wait_typing();
    page.press("Control+Shift+d");
    page.fill("download-path", "missing.txt");
    page.click("download-start");
    page.wait(&id("download-problem"));
    page.screenshot("terminal-download-problem");
    page.press("Escape");
    page.wait_gone(&id("download-path"));
    page.wait_typing();
    page.line("echo typed-$((1+1))");
    page.expect("typed-2");
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}
