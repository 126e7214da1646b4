// Translates a session's raw bytes into what xterm.js may see, whatever way they are cut.
//
// The stream is tmux's input, so the rules below are tmux's own: where tmux and xterm.js
// understand the same bytes differently, xterm.js must not see them.
//  - `ESC k title ESC \` names a window; xterm.js would print the title. It is dropped.
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
const PASSTHROUGH = [0x74, 0x6d, 0x75, 0x78, 0x3b]; // "tmux;"

/** Most bytes that wait inside the filter for the next chunk: `ESC P tmux` without its `;`. */
export const MAX_HELD_BYTES = 2 + PASSTHROUGH.length - 1;

/** Most bytes by which `push` can return more than it was given: those held from earlier ones. */
const MAX_GROWTH = MAX_HELD_BYTES + 1;

/** Receives one byte of a stage's result. */
type Sink = (byte: number) => void;

/** Unwraps tmux passthrough; every other byte goes on as it is. */
class Unwrapper {
  private state: "ground" | "escape" | "prefix" | "inside" | "inside-escape" = "ground";
  private matched = 0;

  constructor(private readonly sink: Sink) {}

  reset(): void {
    this.state = "ground";
  }

  /** Whether the next byte would go on as it is, unless it is an escape. */
  get idle(): boolean {
    return this.state === "ground";
  }

  push(byte: number): void {
    switch (this.state) {
      case "ground":
        if (byte === ESC) this.state = "escape";
        else this.sink(byte);
        return;
      case "escape":
        return this.afterEscape(byte);
      case "prefix":
        return this.matchPrefix(byte);
      case "inside":
        if (byte === ESC) this.state = "inside-escape";
        else this.sink(byte);
        return;
      case "inside-escape":
        // A doubled ESC is one; tmux forgets a single one and keeps what follows it.
        this.state = byte === BACKSLASH ? "ground" : "inside";
        if (byte !== BACKSLASH) this.sink(byte);
    }
  }

  private afterEscape(byte: number): void {
    if (byte === DCS) {
      this.state = "prefix";
      this.matched = 0;
      return;
    }
    this.sink(ESC);
    if (byte === ESC) return;
    this.state = "ground";
    this.sink(byte);
  }

  private matchPrefix(byte: number): void {
    if (byte === PASSTHROUGH[this.matched]) {
      this.matched += 1;
      if (this.matched === PASSTHROUGH.length) this.state = "inside";
      return;
    }
    this.state = "ground";
    this.sink(ESC);
    this.sink(DCS);
    for (let i = 0; i < this.matched; i += 1) this.sink(PASSTHROUGH[i] as number);
    this.push(byte);
  }
}

/** Drops window titles and C1 controls in UTF-8. */
class Dropper {
  private state: "ground" | "escape" | "title" | "lead" = "ground";

  constructor(private readonly sink: Sink) {}

  reset(): void {
    this.state = "ground";
  }

  /** Whether the next byte would go on as it is, unless it is an escape or a C1 lead. */
  get idle(): boolean {
    return this.state === "ground";
  }

  push(byte: number): void {
    switch (this.state) {
      case "ground":
        return this.fromGround(byte);
      case "escape":
        return this.afterEscape(byte);
      case "title":
        // Only these end a title. An ESC goes on with its `\`: xterm.js then leaves whatever
        // sequence the title interrupted, as tmux did.
        if (byte === ESC || byte === CAN || byte === SUB) this.fromGround(byte);
        return;
      case "lead":
        this.state = "ground";
        if (byte >= 0x80 && byte <= 0x9f) return;
        this.sink(C1_LEAD);
        this.fromGround(byte);
    }
  }

  private fromGround(byte: number): void {
    if (byte === ESC) this.state = "escape";
    else if (byte === C1_LEAD) this.state = "lead";
    else {
      this.state = "ground";
      this.sink(byte);
    }
  }

  private afterEscape(byte: number): void {
    if (byte === TITLE) {
      this.state = "title";
      return;
    }
    // C0 controls act at once and leave the escape unfinished, in tmux and xterm.js alike.
    const staysInEscape = byte < 0x20 && byte !== ESC && byte !== CAN && byte !== SUB;
    if (staysInEscape) {
      this.sink(byte);
      return;
    }
    this.sink(ESC);
    this.fromGround(byte);
  }
}

/** The filter between a session's stream and one terminal. */
export class ByteFilter {
  private out = new Uint8Array(0);
  private length = 0;
  private readonly dropper = new Dropper((byte) => {
    this.out[this.length] = byte;
    this.length += 1;
  });
  private readonly unwrapper = new Unwrapper((byte) => this.dropper.push(byte));

  /** What the terminal may see of `bytes` and of what was held back before; a copy. */
  push(bytes: Uint8Array): Uint8Array {
    this.out = new Uint8Array(bytes.length + MAX_GROWTH);
    this.length = 0;
    let at = 0;
    while (at < bytes.length) {
      at = this.copyPlain(bytes, at);
      if (at < bytes.length) this.unwrapper.push(bytes[at] as number);
      at += 1;
    }
    return this.out.subarray(0, this.length);
  }

  /** Forgets what was held back, before a snapshot. */
  reset(): void {
    this.unwrapper.reset();
    this.dropper.reset();
  }

  /** Copies the run of bytes that no stage cares about; returns where it ends. */
  private copyPlain(bytes: Uint8Array, from: number): number {
    if (!this.unwrapper.idle || !this.dropper.idle) return from;
    let end = from;
    while (end < bytes.length && bytes[end] !== ESC && bytes[end] !== C1_LEAD) end += 1;
    this.out.set(bytes.subarray(from, end), this.length);
    this.length += end - from;
    return end;
  }
}
