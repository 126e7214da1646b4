// Translates a session's raw bytes into what xterm.js may see, whatever way they are cut.
//
// The stream is tmux's input, so the rules below are tmux's own: where tmux and xterm.js
// understand the same bytes differently, xterm.js must not see them.
//  - `ESC k title ESC \` names a window; xterm.js would print the title. It becomes OSC 2, without
//    controls: the only ones that end such a title are ESC, CAN and SUB.
//  - `ESC P tmux; … ESC \` is addressed to the terminal around tmux, with each ESC doubled. It is
//    unwrapped: we are that terminal.
//  - U+0080–U+009F in UTF-8 are ignored by tmux; xterm.js would obey them as C1 controls.
// Offsets in the stream count raw bytes, never what comes out of here.

const CAN = 0x18;
const SUB = 0x1a;
const ESC = 0x1b;
const BACKSLASH = 0x5c;
const DCS = 0x50;
const TITLE = 0x6b;
const C1_LEAD = 0xc2;
const OSC_TITLE = [ESC, 0x5d, 0x32, 0x3b]; // "ESC ] 2 ;"
const PASSTHROUGH = [0x74, 0x6d, 0x75, 0x78, 0x3b]; // "tmux;"

/** Most bytes that wait inside the filter for the next chunk: `ESC P tmux` without its `;`. */
export const MAX_HELD_BYTES = 2 + PASSTHROUGH.length - 1;

/** The filter between a session's stream and one terminal. */
export class ByteFilter {
  private out = new Uint8Array(0);
  private length = 0;
  /** Where the stream stands; what the state has read already is held until it is clear. */
  private state: "ground" | "escape" | "prefix" | "title" = "ground";
  /** Whether a C1 lead is held, which belongs to whatever comes next. */
  private lead = false;
  /** Bytes of `tmux;` that have come. */
  private matched = 0;
  /** Whether the bytes are a passthrough's, and the last one was its ESC. */
  private passthrough: "none" | "inside" | "escape" = "none";

  /** What the terminal may see of `bytes` and of what was held back before; a copy. */
  push(bytes: Uint8Array): Uint8Array {
    this.out = new Uint8Array(bytes.length + MAX_HELD_BYTES + 1);
    this.length = 0;
    for (let at = this.copyPlain(bytes, 0); at < bytes.length; at = this.copyPlain(bytes, at)) {
      this.unwrap(bytes[at] as number);
      at += 1;
    }
    return this.out.subarray(0, this.length);
  }

  /** Forgets what was held back, before a snapshot. */
  reset(): void {
    this.state = "ground";
    this.lead = false;
    this.passthrough = "none";
  }

  /** Copies the run of bytes that mean nothing to the filter; returns where it ends. */
  private copyPlain(bytes: Uint8Array, from: number): number {
    if (this.state !== "ground" || this.lead || this.passthrough !== "none") return from;
    let end = from;
    while (end < bytes.length && bytes[end] !== ESC && bytes[end] !== C1_LEAD) end += 1;
    this.put(bytes.subarray(from, end));
    return end;
  }

  /** Takes a passthrough's wrapping from a byte. */
  private unwrap(byte: number): void {
    if (this.passthrough === "inside" && byte === ESC) {
      this.passthrough = "escape";
    } else if (this.passthrough === "escape" && byte === BACKSLASH) {
      this.passthrough = "none";
    } else {
      // A doubled ESC is one; tmux forgets a single one and keeps what follows it.
      if (this.passthrough === "escape") this.passthrough = "inside";
      this.translate(byte);
    }
  }

  private translate(byte: number): void {
    if (this.lead) {
      this.lead = false;
      if (byte >= 0x80 && byte <= 0x9f) return;
      this.put([C1_LEAD]);
    }
    switch (this.state) {
      case "escape":
        return this.afterEscape(byte);
      case "prefix":
        return this.matchPrefix(byte);
      default:
        return this.inText(byte);
    }
  }

  private inText(byte: number): void {
    if (byte === ESC) {
      // Also ends a title, for us and for xterm.js, whatever follows.
      this.state = "escape";
    } else if (byte === C1_LEAD) {
      this.lead = true;
    } else if (this.state === "ground") {
      this.put([byte]);
    } else if (isCancel(byte)) {
      this.state = "ground";
      this.put([byte]);
    } else if (byte >= 0x20) {
      this.put([byte]);
    }
  }

  private afterEscape(byte: number): void {
    if (byte === TITLE) {
      this.state = "title";
      this.put(OSC_TITLE);
    } else if (byte === DCS && this.passthrough === "none") {
      this.state = "prefix";
      this.matched = 0;
    } else if (byte < 0x20 && byte !== ESC && !isCancel(byte)) {
      // C0 controls act at once and leave the escape unfinished, in tmux and xterm.js alike.
      this.put([byte]);
    } else {
      this.giveUp([ESC], byte);
    }
  }

  private matchPrefix(byte: number): void {
    if (byte !== PASSTHROUGH[this.matched]) {
      return this.giveUp([ESC, DCS, ...PASSTHROUGH.slice(0, this.matched)], byte);
    }
    this.matched += 1;
    if (this.matched < PASSTHROUGH.length) return;
    this.state = "ground";
    this.passthrough = "inside";
  }

  /** What was held is nothing of ours after all. */
  private giveUp(held: number[], byte: number): void {
    this.state = "ground";
    this.put(held);
    this.inText(byte);
  }

  private put(bytes: ArrayLike<number>): void {
    const end = this.length + bytes.length;
    if (end > this.out.length) {
      // Titles are longer as OSC.
      const larger = new Uint8Array(2 * end);
      larger.set(this.out);
      this.out = larger;
    }
    this.out.set(bytes, this.length);
    this.length = end;
  }
}

function isCancel(byte: number): boolean {
  return byte === CAN || byte === SUB;
}
