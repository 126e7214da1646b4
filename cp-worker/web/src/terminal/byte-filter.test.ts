// The byte filter: what it drops, translates and unwraps, and that cuts make no difference.

import { Terminal } from "@xterm/headless";
import { describe, expect, it } from "vitest";
import { ByteFilter, MAX_HELD_BYTES } from "./byte-filter";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const text = (data: Uint8Array): string => String.fromCharCode(...data);

function filterWhole(input: string): string {
  return text(new ByteFilter().push(bytes(input)));
}

/** Filters `input` in pieces of the lengths that `cut` names, the last one repeated. */
function filterCut(input: string, cut: () => number): string {
  const filter = new ByteFilter();
  let out = "";
  for (let at = 0; at < input.length;) {
    const end = at + cut();
    out += text(filter.push(bytes(input.slice(at, end))));
    at = end;
  }
  return out;
}

const CASES: [name: string, input: string, output: string][] = [
  ["plain text", "hello\r\n", "hello\r\n"],
  [
    "other sequences",
    "\x1b[1;31mred\x1b]0;t\x07\x1b(B\x1bM",
    "\x1b[1;31mred\x1b]0;t\x07\x1b(B\x1bM",
  ],
  ["every byte but the escapes", allBytes(), allBytes()],
  ["a title", "a\x1bkvim\x1b\\b", "a\x1b]2;vim\x1b\\b"],
  ["an empty title", "a\x1bk\x1b\\b", "a\x1b]2;\x1b\\b"],
  ["a title in UTF-8", "\x1bk\xe2\x9c\xb3\xc3\xa9\x1b\\", "\x1b]2;\xe2\x9c\xb3\xc3\xa9\x1b\\"],
  ["a title with controls", "\x1bkv\x07i\r\n\x00m\x1f\x1b\\b", "\x1b]2;vim\x1b\\b"],
  ["a title with C1 in UTF-8", "\x1bka\xc2\x9cb\xc2\x9b\x1b\\c", "\x1b]2;ab\x1b\\c"],
  ["a title that breaks off in a character", "\x1bka\xc2\x1b\\c", "\x1b]2;a\xc2\x1b\\c"],
  ["a title cut short by another sequence", "a\x1bkvim\x1b[2Jb", "a\x1b]2;vim\x1b[2Jb"],
  ["a title cut short by a title", "a\x1bkvi\x1bkm\x1b\\b", "a\x1b]2;vi\x1b]2;m\x1b\\b"],
  ["a title cancelled", "a\x1bkvim\x18b\x1bkx\x1ac\x07", "a\x1b]2;vim\x18b\x1b]2;x\x1ac\x07"],
  ["a title within another string", "\x1b]0;a\x1bkb\x1b\\c", "\x1b]0;a\x1b]2;b\x1b\\c"],
  ["a title behind a control within the escape", "a\x1b\x07kvi\x1b\\", "a\x07\x1b]2;vi\x1b\\"],
  ["two escapes before a title", "\x1b\x1bkvim\x1b\\b", "\x1b\x1b]2;vim\x1b\\b"],
  ["nothing but titles", "\x1bk".repeat(50), "\x1b]2;".repeat(50)],
  ["k that is no title", "\x1b(k\x1b[kk", "\x1b(k\x1b[kk"],
  ["a passthrough", "a\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\b", "a\x1b]52;c;aGk=\x07b"],
  ["a passthrough with its own ST", "\x1bPtmux;\x1b\x1b]8;;u\x1b\x1b\\\x1b\\b", "\x1b]8;;u\x1b\\b"],
  ["a single escape in a passthrough", "\x1bPtmux;a\x1bbc\x1b\\d", "abcd"],
  ["a title in a passthrough", "\x1bPtmux;\x1b\x1bkt\x1b\x1b\\x\x1b\\y", "\x1b]2;t\x1b\\xy"],
  ["a passthrough in a passthrough", "\x1bPtmux;\x1b\x1bPtmux;a\x1b\\b", "\x1bPtmux;ab"],
  ["other DCS", "\x1bP$qm\x1b\\\x1bP+q544e\x1b\\", "\x1bP$qm\x1b\\\x1bP+q544e\x1b\\"],
  ["DCS that begins like a passthrough", "\x1bPtmuy\x1b\\z", "\x1bPtmuy\x1b\\z"],
  ["DCS that breaks off into a passthrough", "\x1bPtm\x1bPtmux;q\x1b\\", "\x1bPtmq"],
  [
    "UTF-8",
    "\xc3\xa9\xe2\x9c\xb3\xf0\x9f\x99\x82\xc2\xa0\xc2\xbf",
    "\xc3\xa9\xe2\x9c\xb3\xf0\x9f\x99\x82\xc2\xa0\xc2\xbf",
  ],
  ["C1 controls in UTF-8", "a\xc2\x9b31mb\xc2\x80\xc2\x9fc", "a31mbc"],
  ["a lead byte that leads to nothing", "\xc2\xc2\xc2\x1b[m\xc2A", "\xc2\xc2\xc2\x1b[m\xc2A"],
];

function allBytes(): string {
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  return String.fromCharCode(...all.filter((byte) => byte !== 0x1b && byte !== 0xc2));
}

describe("ByteFilter", () => {
  it.each(CASES)("%s", (_name, input, output) => {
    expect(filterWhole(input)).toBe(output);
  });

  it.each(CASES)("%s, byte by byte and at every single cut", (_name, input, output) => {
    expect(filterCut(input, () => 1)).toBe(output);
    for (let first = 0; first <= input.length; first += 1) {
      let cut = first;
      const twice = () => {
        const length = cut;
        cut = input.length;
        return length;
      };
      if (first > 0) expect(filterCut(input, twice)).toBe(output);
    }
  });

  it("gives the same for random cuts of random bytes that are rich in escapes", () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return seed % below;
    };
    const pieces = ["\x1b", "\x1bk", "\x1bP", "tmux;", "\x1b\\", "\xc2", "\x9b", "\x18", "k", "x"];
    for (let round = 0; round < 300; round += 1) {
      const input = Array.from({ length: 60 }, () => pieces[random(pieces.length)]).join("");
      expect(filterCut(input, () => 1 + random(9))).toBe(filterWhole(input));
    }
  });

  it("gives xterm.js the titles, and nothing of them to print", async () => {
    const terminal = new Terminal({ allowProposedApi: true });
    const titles: string[] = [];
    terminal.onTitleChange((title) => titles.push(title));
    const filter = new ByteFilter();
    const input = "a\x1bkv\x07i\xc2\x9cm\x1b\\b\x1bkcut\x1b[1mc\x1bk\x1b\\d";
    for (const byte of bytes(input)) {
      await new Promise<void>((done) => terminal.write(filter.push(Uint8Array.of(byte)), done));
    }
    expect(titles).toEqual(["vim", "cut", ""]);
    expect(terminal.buffer.active.getLine(0)?.translateToString(true)).toBe("abcd");
  });

  it("holds back no more than its bound, and nothing at all of plain text", () => {
    const filter = new ByteFilter();
    expect(filter.push(bytes("abc")).length).toBe(3);
    const held = bytes("\x1bPtmux");
    expect(filter.push(held).length).toBe(0);
    expect(held.length).toBe(MAX_HELD_BYTES);
    expect(text(filter.push(bytes("!")))).toBe("\x1bPtmux!");
  });

  it("forgets what it held when reset", () => {
    const filter = new ByteFilter();
    filter.push(bytes("\x1bPtmux;\x1b"));
    filter.reset();
    expect(text(filter.push(bytes("k\xc2")))).toBe("k");
    filter.reset();
    expect(text(filter.push(bytes("\x9b")))).toBe("\x9b");
  });
});
