// xterm.js with its addons on the page: how it looks, and how it fills the room that it has.

import { Base64, ClipboardAddon } from "@xterm/addon-clipboard";
import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { SerializeAddon } from "@xterm/addon-serialize";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { WebglAddon } from "@xterm/addon-webgl";
import { Terminal, type IBufferRange } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { PASTE_BYTES } from "@/protocol/limits";
import { muteQueries } from "./mute";
import type { TerminalColors, TerminalSize } from "./session-types";
import { isMac } from "./shortcuts";
import { terminalTheme } from "./themes";

const FONT = '"JetBrains Mono Variable", ui-monospace, "DejaVu Sans Mono", monospace';

/** Font size in CSS pixels, and the smallest to which a foreign size is shrunk. */
const FONT_SIZE = { wide: 14, narrow: 12, least: 6 };

/** Window width in CSS pixels below which text is a little smaller. */
const NARROW_WIDTH = 640;

/** Lines kept above the screen: as many as tmux keeps. */
const SCROLLBACK_LINES = 10_000;

/** Room in CSS pixels that xterm.js keeps for its scroll bar. */
const SCROLL_BAR_WIDTH = 14;

/** CSS pixels left in the room from which on a frame shows where the session ends. */
const FRAME_FROM = 48;

/** Most characters that a program may put into the clipboard: as much as may be pasted. */
const CLIPBOARD_CHARS = PASTE_BYTES;

/** What a person has chosen, in the form in which the terminal takes it. */
export interface SurfaceLook {
  /** CSS pixels; null: what suits the window. */
  fontSize: number | null;
  theme: string;
  appTheme: "light" | "dark";
  screenReader: boolean;
}

export interface SurfaceHandlers {
  /** A click or a tap on a link. `text` is what stands there; null where that is the address. */
  onLink(event: MouseEvent, address: string, text: string | null): void;
  /** A program wants this in the clipboard. */
  onProgramCopies(text: string): void;
}

/** Waits for the terminal's font: cells are measured once, when the terminal opens. */
export async function loadTerminalFont(): Promise<void> {
  const styles = ["", "bold ", "italic "];
  await Promise.allSettled(
    styles.map((style) => document.fonts.load(`${style}${FONT_SIZE.wide}px ${FONT}`)),
  );
}

export class Surface {
  readonly terminal: Terminal;
  readonly search = new SearchAddon();
  readonly serialize = new SerializeAddon();
  private readonly fit = new FitAddon();

  private look: SurfaceLook;

  /** @param mount fills its parent; the terminal is put into it */
  constructor(
    private readonly mount: HTMLElement,
    look: SurfaceLook,
    handlers: SurfaceHandlers,
  ) {
    this.look = look;
    this.terminal = new Terminal({
      allowProposedApi: true,
      cursorBlink: true,
      fontFamily: FONT,
      fontSize: this.usualFontSize(),
      lineHeight: 1.15,
      linkHandler: {
        activate: (event, address, range) => handlers.onLink(event, address, this.textIn(range)),
        hover: (_event, address) => this.explainLink(address),
        leave: () => this.explainLink(null),
      },
      macOptionIsMeta: true,
      rescaleOverlappingGlyphs: true,
      scrollback: SCROLLBACK_LINES,
    });
    this.setLook(look);
    // Programs may set the clipboard, never read it: what was copied elsewhere is not theirs.
    const clipboard = new ClipboardAddon(new Base64(), {
      readText: () => "",
      writeText: (_selection, text) => {
        if (text.length <= CLIPBOARD_CHARS) handlers.onProgramCopies(text);
      },
    });
    const addons = [this.fit, this.search, this.serialize, clipboard];
    for (const addon of addons) this.terminal.loadAddon(addon);
    this.terminal.loadAddon(new UnicodeGraphemesAddon());
    const links = new WebLinksAddon((event, address) => handlers.onLink(event, address, null), {
      hover: (_event, address) => this.explainLink(address),
      leave: () => this.explainLink(null),
    });
    this.terminal.loadAddon(links);
    muteQueries(this.terminal);
    this.terminal.open(mount);
    this.useGraphicsCard();
  }

  setLook(look: SurfaceLook): void {
    this.look = look;
    const { colors, contrast } = terminalTheme(look.theme, look.appTheme);
    const { options } = this.terminal;
    if (options.theme !== colors) options.theme = colors;
    options.minimumContrastRatio = contrast;
    options.screenReaderMode = look.screenReader;
  }

  /** What plain text is painted in, as `#rrggbb`. */
  get colors(): TerminalColors {
    const { foreground = "#ffffff", background = "#000000" } = this.terminal.options.theme ?? {};
    return { foreground, background };
  }

  /** Shows text in its usual size; returns what the room holds, if it can be measured. */
  fillRoom(): TerminalSize | undefined {
    delete this.mount.dataset.framed;
    Object.assign(this.mount.style, { width: "100%", height: "100%" });
    this.setFontSize(this.usualFontSize());
    const size = this.fit.proposeDimensions();
    return size && Number.isFinite(size.cols) ? { cols: size.cols, rows: size.rows } : undefined;
  }

  /** Shrinks the text until the session's own size fits into the room. */
  shrinkToRoom(): void {
    const room = this.mount.parentElement;
    const screen = this.terminal.element?.querySelector<HTMLElement>(".xterm-screen");
    if (room === null || !screen) return;
    const width = room.clientWidth - SCROLL_BAR_WIDTH;
    let size = this.usualFontSize();
    this.setFontSize(size);
    while (size > FONT_SIZE.least && !fits(screen, width, room.clientHeight)) {
      const scale = Math.min(width / screen.offsetWidth, room.clientHeight / screen.offsetHeight);
      // Cells are whole device pixels, so the first guess may still be too large.
      size = Math.max(FONT_SIZE.least, Math.min(size - 0.5, Math.floor(size * scale * 2) / 2));
      this.setFontSize(size);
    }
    const shown = { width: screen.offsetWidth + SCROLL_BAR_WIDTH, height: screen.offsetHeight };
    this.mount.style.width = `${shown.width}px`;
    this.mount.style.height = `${shown.height}px`;
    const roomLeft = Math.max(room.clientWidth - shown.width, room.clientHeight - shown.height);
    if (roomLeft > FRAME_FROM) this.mount.dataset.framed = "";
    else delete this.mount.dataset.framed;
  }

  dispose(): void {
    this.terminal.dispose();
  }

  /** The size of text that is not shrunk to fit, in CSS pixels. */
  usualFontSize(): number {
    if (this.look.fontSize !== null) return this.look.fontSize;
    return window.innerWidth < NARROW_WIDTH ? FONT_SIZE.narrow : FONT_SIZE.wide;
  }

  private setFontSize(size: number): void {
    if (this.terminal.options.fontSize !== size) this.terminal.options.fontSize = size;
  }

  private explainLink(address: string | null): void {
    this.mount.title = address === null ? "" : `${address}\n${isMac() ? "Cmd" : "Ctrl"} click opens it`;
  }

  /** What stands in these cells, counted from 1. */
  private textIn({ start, end }: IBufferRange): string {
    const { active } = this.terminal.buffer;
    let text = "";
    for (let row = start.y; row <= end.y; row += 1) {
      const from = row === start.y ? start.x - 1 : 0;
      const to = row === end.y ? end.x : this.terminal.cols;
      text += active.getLine(row - 1)?.translateToString(false, from, to) ?? "";
    }
    return text;
  }

  /** WebGL where there is one; without it xterm.js draws with the DOM. */
  private useGraphicsCard(): void {
    try {
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => webgl.dispose());
      this.terminal.loadAddon(webgl);
    } catch {
      // No WebGL 2 here.
    }
  }
}

function fits(screen: HTMLElement, width: number, height: number): boolean {
  return screen.offsetWidth <= width && screen.offsetHeight <= height;
}
