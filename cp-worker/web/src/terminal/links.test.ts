// When a link is opened, when a person is asked, and when nothing happens.

import { describe, expect, it } from "vitest";
import { decide } from "./links";

const CLICK = { touch: false, held: false };
const CTRL_CLICK = { touch: false, held: true };
const TAP = { touch: true, held: false };

describe("links", () => {
  it("of the web are opened by Ctrl and a click, or a tap, and by nothing less", () => {
    expect(decide("https://example.com/a", null, CLICK)).toBe("ignore");
    expect(decide("https://example.com/a", null, CTRL_CLICK)).toBe("open");
    expect(decide("http://example.com/a", null, TAP)).toBe("open");
  });

  it("to elsewhere are never opened", () => {
    for (const address of ["javascript:alert(1)", "file:///etc/passwd", "vscode://x", "data:,x", "", "x"]) {
      expect(decide(address, null, CTRL_CLICK)).toBe("ignore");
      expect(decide(address, "text", TAP)).toBe("ignore");
    }
  });

  it("whose text is another address want a question", () => {
    for (const text of ["https://bank.example", "bank.example", "example.com.evil.example/x"]) {
      expect(decide("https://example.com/x", text, CTRL_CLICK)).toBe("ask");
      expect(decide("https://example.com/x", text, TAP)).toBe("ask");
    }
    for (const text of ["https://example.com/x", "example.com/x", " example.com/x/ "]) {
      expect(decide("https://example.com/x", text, TAP)).toBe("open");
    }
  });

  it("whose text is words want one where nothing can hover", () => {
    expect(decide("https://example.com/x", "PR #12", CTRL_CLICK)).toBe("open");
    expect(decide("https://example.com/x", "PR #12", TAP)).toBe("ask");
  });
});
