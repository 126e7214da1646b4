//! The terminal at a desk: search, copying, links, keys, text size, other sessions, the end.

use super::{DESKTOP, PHONE, clipboard, live, place_of, until, until_copied};
use integration::browser::{Page, id};
use integration::stack::Stack;

/// A place in the window where the terminal shows nothing.
const NOWHERE: (f64, f64) = (640.0, 600.0);

fn font_size(page: &Page) -> f64 {
    page.run("window.chatcodeTerminal.options.fontSize").as_f64().expect("a size")
}

/// Waits until the search says how many there are.
fn until_hits(page: &Page, hits: &str) {
    let what = format!("ends with {hits:?}");
    let script = format!(
        "document.querySelector('[data-testid=search-hits]').textContent.endsWith({hits:?})"
    );
    until(page, &what, &script);
}

#[test]
fn text_is_found_copied_and_opened() {
    let (stack, page) = Stack::new(DESKTOP);
    stack.create_session(&page, "Text");
    page.line(
        "PS1='> '; clear; for n in 1 2 3; do echo Word$n word$n wordy; done; seq 1 $((99+1))",
    );
    page.expect("100");

    // Search, in the history too.
    page.press("Control+Shift+F");
    page.wait_focus("search-input");
    page.type_in("word");
    until_hits(&page, "9 of 9");
    page.press("Enter");
    until_hits(&page, "8 of 9");
    page.click("search-match-case");
    until_hits(&page, " of 6");
    page.click("search-regular-expression");
    page.fill("search-input", "Word[12]");
    until_hits(&page, " of 2");
    page.screenshot("terminal-search");
    page.fill("search-input", "Word[");
    until_hits(&page, "Not valid");
    page.click("search-regular-expression");
    page.click("search-whole-word");
    page.fill("search-input", "wordy");
    until_hits(&page, " of 3");
    page.press("Escape");
    page.wait_gone(&id("search-input"));
    page.wait_typing();

    // Copy by key, and on select where that is wished.
    page.line("clear; printf 'alpha %s gamma\\n' beta");
    page.expect("alpha beta gamma");
    let (alpha, beta, gamma) =
        (place_of(&page, "alpha"), place_of(&page, "beta"), place_of(&page, "gamma"));
    page.select((alpha.0 - 3.0, alpha.1), (beta.0 - 3.0, beta.1));
    page.press("Control+Shift+C");
    until_copied(&page, "alpha ");
    page.click("terminal-menu");
    page.click("menu-view");
    page.screenshot("terminal-view-dialog");
    page.click("copy-on-select");
    page.press("Escape");
    page.wait_gone(&id("view-dialog"));
    // What dims the page fades away after it.
    let (x, y) = beta;
    until(
        &page,
        "nothing covers the terminal",
        &format!("document.elementFromPoint({x}, {y})?.closest('.xterm') != null"),
    );
    page.select((beta.0 - 3.0, beta.1), (gamma.0 - 3.0, gamma.1));
    until_copied(&page, "beta ");

    // A program may write the clipboard and never read it.
    page.line("clear; printf '\\033]52;c;%s\\a' $(printf 'from a program' | base64)");
    until_copied(&page, "from a program");
    page.line("printf '\\033]52;c;?\\a'; sleep 1; echo quiet-$((1+1))");
    page.expect("quiet-2");
    let text = page.dump().expect("a terminal").text().join("\n");
    assert_eq!(text.matches("52;").count(), 1, "only what was typed: {text}");

    // Links: never by a plain click, and not without a question where the text tells a lie.
    let base = stack.control_plane.url();
    page.line(&format!("clear; echo {base}/icon.svg; echo link-$((1+1))"));
    page.expect("link-2");
    let place = place_of(&page, &format!("{base}/icon.svg"));
    // xterm.js looks for links anew when the mouse comes from another line.
    page.click_at(NOWHERE, None);
    page.click_at(place, None);
    assert_eq!(page.opened().len(), 0);
    page.click_at(place, Some("Control"));
    integration::eventually("the link opens", integration::PATIENCE, || {
        page.opened().first().map(|url| assert_eq!(url, &format!("{base}/icon.svg")))
    });
    page.line(&format!(
        "clear; printf '\\033]8;;{base}/robots.txt\\033\\\\bank.example\\033]8;;\\033\\\\\\n'; \
         echo hidden-$((1+1))"
    ));
    page.expect("hidden-2");
    let place = place_of(&page, "bank.example");
    page.click_at(NOWHERE, None);
    page.click_at(place, Some("Control"));
    page.wait(&id("link-question"));
    page.screenshot("terminal-link-question");
    assert!(page.text("link-question").contains("/robots.txt"));
    assert_eq!(page.opened().len(), 1);
    page.click("link-open");
    integration::eventually("the other link opens", integration::PATIENCE, || {
        (page.opened().len() == 2).then_some(())
    });
    assert!(page.problems().is_empty(), "{:?}", page.problems());
    assert_eq!(clipboard(&page), "from a program");
}

#[test]
fn keys_have_a_sheet_and_lead_out_of_the_terminal() {
    let (stack, page) = Stack::new(DESKTOP);
    stack.create_session(&page, "Keys");
    page.press("Control+Shift+/");
    page.wait(&id("help-sheet"));
    page.screenshot("terminal-help");
    page.size(PHONE.0, PHONE.1);
    page.screenshot("terminal-help-narrow");
    page.size(DESKTOP.0, DESKTOP.1);
    page.press("Escape");
    page.wait_gone(&id("help-sheet"));
    page.wait_typing();

    // What terminals need is theirs: Ctrl-_ among it, which looks like "smaller".
    // A key that came while the shell still has the terminal would be the shell's.
    page.line("echo raw-$((1+1)); cat -v");
    page.expect("raw-2");
    page.press("Control+Shift+Minus");
    page.press("Control+f");
    page.press("Control+e");
    page.press("Enter");
    page.expect("^_^F^E");
    page.press("Control+c");

    // The text's size, which the session follows.
    let usual = font_size(&page);
    let cols = "window.chatcodeTerminal.cols";
    let before = page.run(cols).as_u64().expect("columns");
    for _ in 0..3 {
        page.press("Control+Equal");
    }
    let is_larger = format!("window.chatcodeTerminal.options.fontSize === {}", usual + 3.0);
    until(&page, "larger text", &is_larger);
    until(&page, "fewer columns", &format!("{cols} < {before}"));
    page.line("while sleep 0.1; do echo columns-$(tput cols)-; done");
    integration::eventually("the session has as many", integration::browser::PATIENCE, || {
        let now = format!("columns-{}-", page.run(cols));
        page.dump()?.text().iter().any(|line| line.contains(&now)).then_some(())
    });
    page.press("Control+c");
    page.screenshot("terminal-large-text");
    page.reload();
    live(&page);
    until(&page, "it is remembered", &is_larger);
    page.click("terminal");
    page.press("Control+0");
    until(
        &page,
        "its usual size",
        &format!("window.chatcodeTerminal.options.fontSize === {usual}"),
    );

    // Themes of the terminal alone, in both themes of the app.
    page.click("terminal-menu");
    page.screenshot("terminal-menu");
    page.click("menu-view");
    page.click("terminal-theme-amber");
    page.click("theme-light");
    page.screenshot("terminal-view-dialog-light");
    page.press("Escape");
    page.screenshot("terminal-amber-light");
    until(&page, "amber", "window.chatcodeTerminal.options.theme.background === '#16110a'");

    // Out by the keyboard alone, and by Tab through the page.
    page.wait_typing();
    page.press("Tab");
    assert!(page.is_typing(), "Tab is the program's");
    page.press("Control+Shift+E");
    assert_eq!(page.run("document.activeElement.id"), "leave-terminal");
    page.press("Tab");
    assert!(!page.is_typing());
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}

#[test]
fn sessions_are_switched_and_begun_again() {
    let (stack, page) = Stack::new(DESKTOP);
    let first = stack.create_session(&page, "One");
    page.line("echo first-$((1+1))");
    page.expect("first-2");
    page.goto(&stack.control_plane.url());
    let second = stack.create_session(&page, "Two");
    page.press("Control+Shift+S");
    page.wait(&format!("{}[data-session-id=\"{first}\"]", id("switch-to")));
    page.screenshot("terminal-switcher");
    page.press("Enter");
    page.expect("first-2");
    assert!(page.url().ends_with(&format!("/{first}")), "{}", page.url());
    live(&page);
    page.wait_typing();
    page.line("echo again-$((1+1))");
    page.expect("again-2");

    // The end, above the last screen; and where there is none to show.
    page.line("exit 3");
    page.wait(&id("session-ended"));
    page.expect("again-2");
    page.wait_text("session-ended", "code 3");
    page.screenshot("terminal-ended");
    page.reload();
    page.wait(&id("start-again"));
    page.wait_text("session-ended", "code 3");
    page.screenshot("terminal-ended-later");
    page.size(PHONE.0, PHONE.1);
    page.screenshot("terminal-ended-later-narrow");
    page.size(DESKTOP.0, DESKTOP.1);
    page.click("start-again");
    live(&page);
    page.wait_typing();
    let id = page.url().rsplit('/').next().and_then(|id| id.parse::<u32>().ok()).expect("an id");
    assert!(id != first && id != second, "{id}");
    page.line("echo third-$((1+1))");
    page.expect("third-2");
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}
