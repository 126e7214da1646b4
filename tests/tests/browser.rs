//! End to end: real Chromium, the built worker in workerd, a real gateway and real tmux.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::browser::Page;
use integration::screen::Screen;
use integration::stack::Stack;
use std::time::{Duration, Instant};

const DESKTOP: (u32, u32) = (1280, 800);

/// Waits until tmux shows `text`: the truth, whatever pages show.
fn until_tmux_shows(stack: &Stack, page: &Page, session_id: u32, text: &str) {
    let mut lines = Vec::new();
    let found = integration::wait_for(integration::browser::PATIENCE, || {
        lines = stack.gateway.tmux.lines(session_id);
        lines.iter().any(|line| line.contains(text)).then_some(())
    });
    if found.is_none() {
        let focus = page.run("document.activeElement.outerHTML");
        let shown = lines.join("\n");
        page.fail(&format!("not {text:?} in tmux but\n{}\nfocus: {focus}", shown.trim_end()));
    }
}

/// Gives the page's window another size, and waits until tmux has followed and the program has drawn
/// its last line at the bottom. A key that comes while it learns of a new size may be lost: less
/// itself loses one in several hundred.
fn resize(stack: &Stack, page: &Page, session_id: u32, (width, height): (u32, u32)) {
    let shown = || {
        let dump = page.dump()?;
        Some(format!("{}x{}", dump.lines.first()?.len(), dump.lines.len()))
    };
    let before = shown().expect("a terminal");
    page.size(width, height);
    integration::eventually("the program fills the window", integration::PATIENCE, || {
        let now = shown().filter(|now| *now != before)?;
        let theirs = stack.gateway.tmux.format(session_id, "#{pane_width}x#{pane_height}");
        let lines = stack.gateway.tmux.lines(session_id);
        (now == theirs && !lines.last()?.is_empty()).then_some(())
    });
}

fn live(page: &Page) {
    page.wait_attribute("connection-state", "data-state", "live");
}

#[test]
fn a_terminal_in_the_browser() {
    let (stack, page) = Stack::new(DESKTOP);
    let mut screen = Screen::new();
    page.screenshot("servers");
    let session = stack.create_session(&page, "First light");
    page.line("echo hello-$((40+2))");
    page.expect("hello-42");
    let text: String = (1..300).map(|n| format!("int f{n}(void) {{ return {n}; }}\n")).collect();
    let folder = stack.gateway.tmux.format(session, "#{pane_current_path}");
    std::fs::write(std::path::Path::new(&folder).join("file.c"), text).expect("written");
    page.screenshot("shell");

    for (name, start, shows, quit) in [
        ("vim", "vim --clean -c 'syntax on' -c 'set number' file.c", "f20(void)", ":q!\r"),
        ("htop", "htop -d 100", "Load average", "q"),
        ("less", "less -N file.c", "f20(void)", "q"),
    ] {
        page.line(start);
        page.expect(shows);
        page.expect_equal(&stack.gateway.tmux, session, &mut screen);
        page.screenshot(name);

        resize(&stack, &page, session, (1000, 640));
        page.expect_equal(&stack.gateway.tmux, session, &mut screen);
        page.screenshot(&format!("{name}-small"));

        page.reload();
        live(&page);
        page.expect_equal(&stack.gateway.tmux, session, &mut screen);
        page.screenshot(&format!("{name}-reloaded"));
        resize(&stack, &page, session, DESKTOP);
        page.expect_equal(&stack.gateway.tmux, session, &mut screen);
        for key in quit.chars() {
            if key == '\r' { page.press("Enter") } else { page.type_in(&key.to_string()) }
        }
        until_tmux_shows(&stack, &page, session, "hello-42");
    }
    page.line("exit 3");
    page.wait(&integration::browser::id("session-ended"));
    page.screenshot("ended");
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}

#[test]
fn two_browsers_on_one_session() {
    let (stack, first) = Stack::new(DESKTOP);
    let mut screen = Screen::new();
    let session = stack.create_session(&first, "Shared");
    let second = stack.another_page("second", (1100, 700));
    second.goto(&first.url());
    live(&second);
    first.wait_attribute("control-badge", "data-control", "you");
    second.wait_attribute("control-badge", "data-control", "other");
    second.screenshot("read-only");

    // Both see every byte.
    first.line("echo quiet-$((1+1))");
    first.expect("quiet-2");
    second.expect("quiet-2");
    first.expect_equal(&stack.gateway.tmux, session, &mut screen);
    second.expect_equal(&stack.gateway.tmux, session, &mut screen);
    first.mark_frames();
    second.mark_frames();
    first.line("seq 1 20000; echo end-$((1+1))");
    first.expect("end-2");
    second.expect("end-2");
    first.expect_equal(&stack.gateway.tmux, session, &mut screen);
    second.expect_equal(&stack.gateway.tmux, session, &mut screen);
    let (ours, theirs) = (first.frames(), second.frames());
    assert!(ours.bytes > 100_000 && ours.wrong == 0, "{ours:?}");
    assert_eq!(ours, theirs, "the same bytes in both browsers");

    // Only the controller types.
    second.click("terminal");
    second.line("echo intruder-$((1+1))");
    first.click("terminal");
    first.line("echo owner-$((1+1))");
    until_tmux_shows(&stack, &first, session, "owner-2");
    let lines = stack.gateway.tmux.lines(session).join("\n");
    assert!(!lines.contains("intruder"), "{lines}");

    // Until the other one takes over.
    second.click("take-over");
    second.wait_attribute("control-badge", "data-control", "you");
    first.wait_attribute("control-badge", "data-control", "other");
    second.click("terminal");
    second.line("echo taken-$((1+1))");
    until_tmux_shows(&stack, &second, session, "taken-2");
    first.expect("taken-2");
    first.screenshot("taken-over");
}

/// How long a page needs to see a flood to its end and to type five commands after it.
fn time_to_work(page: &Page, round: u32) -> Duration {
    let started = Instant::now();
    page.line(&format!("seq 1 150000; echo end-$(({round}+500))"));
    page.expect(&format!("end-{}", round + 500));
    for n in 0..5 {
        page.line(&format!("echo $(({round}*1000+{n}))-echo"));
        page.expect(&format!("{}-echo", round * 1000 + n));
    }
    started.elapsed()
}

#[test]
fn a_stalled_browser_does_not_slow_the_other() {
    let (stack, first) = Stack::new(DESKTOP);
    let mut screen = Screen::new();
    let session = stack.create_session(&first, "Stall");
    let second = stack.another_page("second", DESKTOP);
    second.goto(&first.url());
    live(&second);
    second.expect_equal(&stack.gateway.tmux, session, &mut screen);

    let unstalled = time_to_work(&first, 1);
    let stall = unstalled * 3 + Duration::from_secs(10);
    let hung = Instant::now();
    second.hang(stall);
    let stalled = time_to_work(&first, 2);
    // Twice: the stalled page keeps one processor busy.
    let most = unstalled * 2 + Duration::from_secs(2);
    assert!(stalled < most, "{stalled:?} with the stall, {unstalled:?} without");
    // It hangs for exactly as long as it was told; only then can it be asked anything.
    std::thread::sleep(stall.saturating_sub(hung.elapsed()));
    live(&second);
    second.expect("2004-echo");
    second.expect_equal(&stack.gateway.tmux, session, &mut screen);
}

#[test]
fn a_killed_control_plane_comes_back() {
    let (mut stack, page) = Stack::new(DESKTOP);
    let mut screen = Screen::new();
    let session = stack.create_session(&page, "Outage");
    page.line(
        "for i in $(seq 1 60); do ls --color=always /usr; sleep 0.1; done; echo end-$((1+1))",
    );
    page.expect("bin");
    stack.control_plane.kill();
    page.wait(&format!(
        "{}:not([data-state=\"live\"])",
        integration::browser::id("connection-state")
    ));
    page.screenshot("reconnecting");
    stack.control_plane.run();
    live(&page);
    until_tmux_shows(&stack, &page, session, "end-2");
    page.expect("end-2");
    page.expect_equal(&stack.gateway.tmux, session, &mut screen);
    page.click("terminal");
    page.line("echo typed-$((1+1))");
    page.expect("typed-2");
}

#[test]
fn a_killed_gateway_comes_back() {
    let (mut stack, page) = Stack::new(DESKTOP);
    let mut screen = Screen::new();
    let session = stack.create_session(&page, "Crash");
    page.mark_frames();
    page.line("seq 1 400000; echo end-$((1+1))");
    integration::eventually("it prints", integration::browser::PATIENCE, || {
        (page.frames().bytes > 50_000).then_some(())
    });
    stack.gateway.kill();
    stack.gateway.run();
    until_tmux_shows(&stack, &page, session, "end-2");
    live(&page);
    page.expect("end-2");
    page.expect_equal(&stack.gateway.tmux, session, &mut screen);
    page.click("terminal");
    page.line("echo typed-$((1+1))");
    page.expect("typed-2");
}

#[test]
fn programs_learn_the_pages_colours_and_reach_its_person() {
    let (stack, page) = Stack::new(DESKTOP);
    let session = stack.create_session(&page, "Wanting");
    let folder = stack.gateway.tmux.format(session, "#{pane_current_path}");
    let ask = "stty raw -echo min 0 time 20; printf '\\033]11;?\\033\\\\'; \
               answer=$(dd bs=64 count=1 2>/dev/null | tr -d '\\033\\\\'); stty sane; echo \"<$answer>\"";
    std::fs::write(std::path::Path::new(&folder).join("ask"), ask).expect("written");
    let theme = page.run("window.chatcodeTerminal.options.theme.background");
    let hex = theme.as_str().expect("a colour").trim_start_matches('#').to_owned();
    let [r, g, b] = [&hex[0..2], &hex[2..4], &hex[4..6]];
    page.line("sh ask");
    page.expect(&format!("<]11;rgb:{r}{r}/{g}{g}/{b}{b}>"));

    // While the page is looked at nothing is said; then its person goes away.
    let servers = stack.another_page("servers", DESKTOP);
    servers.click("server-link");
    servers.wait(&integration::browser::id("session-row"));
    page.line("printf '\\033]9;Not now\\a'; sleep 1; echo quiet-$((1+1))");
    page.expect("quiet-2");
    page.line("sleep 2; printf '\\033]9;Allow it?\\a'");
    page.run("document.hasFocus = () => false; window.dispatchEvent(new Event('blur'))");
    servers.wait_attribute("session-attention", "data-reason", "notification");
    assert!(servers.text("session-attention").contains("Allow it?"));
    integration::eventually("the title says so", integration::PATIENCE, || {
        let title = page.run("document.title");
        title.as_str().is_some_and(|title| title.starts_with("(1)")).then_some(())
    });
    servers.screenshot("attention-list");
    page.screenshot("attention-terminal");

    stack.gateway.tmux.run(&["split-window", "-t", "=cc-1:", "cat"]);
    page.wait_text("pane", "pane 2 of 2");
    page.screenshot("pane-2-of-2");
}
