// Words as a finger means them, on a real xterm.js buffer.

import { Terminal as Headless } from "@xterm/headless";
import type { Terminal } from "@xterm/xterm";
import { describe, expect, it } from "vitest";
import { WordSelection, wordAround } from "./word-selection";

describe("wordAround", () => {
  it("keeps paths and addresses whole", () => {
    const line = 'see "src/main.rs:12" (https://x.y/z?q=1), ok';
    const word = (col: number) => {
      const [first, last] = wordAround(line, col);
      return line.slice(first, last + 1);
    };
    expect(word(line.indexOf("main"))).toBe("src/main.rs:12");
    expect(word(line.indexOf("x.y"))).toBe("https://x.y/z?q=1");
    expect(word(0)).toBe("see");
    expect(word(line.length - 1)).toBe("ok");
    expect(word(3)).toBe(" ");
    expect(wordAround("", 5)).toEqual([5, 5]);
  });
});

describe("WordSelection", () => {
  it("selects a word, and from it in both directions", async () => {
    const real = new Headless({ cols: 10, rows: 4, allowProposedApi: true });
    await new Promise<void>((done) => real.write("ab \u4f60\u597d cd\r\nef gh\r\n", done));
    const selected: number[][] = [];
    const buffer = real.buffer as Terminal["buffer"];
    const select = (...it: number[]) => void selected.push(it);
    const selection = new WordSelection({ cols: 10, buffer, select }, { col: 4, row: 0 });
    selection.extendTo({ col: 1, row: 1 });
    selection.extendTo({ col: 1, row: 0 });
    selection.extendTo({ col: 5, row: 0 });
    expect(selected).toEqual([[3, 0, 4], [3, 0, 9], [1, 0, 6], [3, 0, 4]]);
  });
});
