// A muted xterm.js answers no query, and still does everything that is not one.

import { Terminal } from "@xterm/headless";
import { expect, it } from "vitest";
import { muteQueries } from "./mute";

const QUERIES = [
  "\x1b[c",
  "\x1b[0c",
  "\x1b[>c",
  "\x1b[=c",
  "\x1b[5n",
  "\x1b[6n",
  "\x1b[?6n",
  "\x1b[?996n",
  "\x1b[4$p",
  "\x1b[?2026$p",
  "\x1b[>q",
  "\x1b[>0q",
  "\x1b[?u",
  "\x1b[?4m",
  "\x1b[14t",
  "\x1b[16t",
  "\x1b[18t",
  "\x1b[21t",
  "\x1bP$qm\x1b\\",
  "\x1bP+q544e\x1b\\",
  "\x1b]4;1;?\x1b\\",
  "\x1b]10;?\x07",
  "\x1b]11;?\x07",
  "\x1b]12;?\x07",
  "\x1b]52;c;?\x07",
  "\x9bc",
  "\x9b6n",
  "\x90$qm\x9c",
];

/** What a terminal sends by itself when it is given `input`. */
async function answers(input: string, muted: boolean): Promise<string> {
  const terminal = new Terminal({
    allowProposedApi: true,
    windowOptions: { getWinSizeChars: true },
  });
  let sent = "";
  terminal.onData((data) => {
    sent += data;
  });
  if (muted) muteQueries(terminal);
  await new Promise<void>((done) => terminal.write(input, done));
  return sent;
}

it.each(QUERIES)("does not answer %j", async (query) => {
  expect(await answers(query, true)).toBe("");
});

it("would answer most of them otherwise", async () => {
  const all = await Promise.all(QUERIES.map((query) => answers(query, false)));
  expect(all.filter((answer) => answer !== "").length).toBeGreaterThan(10);
});

it("lets through what only looks like a query", async () => {
  const windowOptions = { pushTitle: true, popTitle: true };
  const terminal = new Terminal({ allowProposedApi: true, windowOptions });
  muteQueries(terminal);
  let title = "";
  terminal.onTitleChange((now) => {
    title = now;
  });
  const input = "\x1b]2;kept\x07\x1b[22;0t\x1b]2;lost\x07\x1b[23;0t\x1b[!p\x1b[4 qok";
  await new Promise<void>((done) => terminal.write(input, done));
  expect(title).toBe("kept");
  expect(terminal.buffer.active.getLine(0)?.translateToString(true)).toBe("ok");
});

it.each(["\x1b[!p", "\x1b[3I", "\x1b[3a", "\x1b[3e"])("ignores %j, as tmux does", async (sequence) => {
  const terminal = new Terminal({ allowProposedApi: true });
  muteQueries(terminal);
  await new Promise<void>((done) => terminal.write(`\x1b[?1h\x1b[2;2H${sequence}`, done));
  const { cursorX, cursorY } = terminal.buffer.active;
  expect([cursorX, cursorY]).toEqual([1, 1]);
  expect(terminal.modes.applicationCursorKeysMode).toBe(true);
});
