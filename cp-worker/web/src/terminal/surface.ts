// xterm.js with its addons on the page: how it looks, and how it fills the room that it has.

import { Base64, ClipboardAddon, type IClipboardProvider } from "@xterm/addon-clipboard";
import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { SerializeAddon } from "@xterm/addon-serialize";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { WebglAddon } from "@xterm/addon-webgl";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { muteQueries } from "./mute";
import type { TerminalColors, TerminalSize } from "./session-types";
import { MINIMUM_CONTRAST, TERMINAL_THEMES } from "./themes";

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

/** Programs may set the clipboard, never read it: what was copied elsewhere is not theirs. */
const writeOnlyClipboard: IClipboardProvider = {
  readText: () => "",
  writeText: (_selection, text) => navigator.clipboard.writeText(text).catch(() => undefined),
};

/** Opens links of programs that lead to the web, and no others. */
function openLink(_event: MouseEvent, address: string): void {
  if (/^https?:/i.test(address)) window.open(address, "_blank", "noopener,noreferrer");
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

  /** @param mount fills its parent; the terminal is put into it */
  constructor(
    private readonly mount: HTMLElement,
    theme: keyof typeof TERMINAL_THEMES,
  ) {
    this.terminal = new Terminal({
      allowProposedApi: true,
      cursorBlink: true,
      fontFamily: FONT,
      fontSize: this.usualFontSize(),
      lineHeight: 1.15,
      linkHandler: {
        activate: openLink,
        hover: (_event, address) => (this.mount.title = address),
        leave: () => (this.mount.title = ""),
      },
      macOptionIsMeta: true,
      rescaleOverlappingGlyphs: true,
      scrollback: SCROLLBACK_LINES,
    });
    this.setTheme(theme);
    const clipboard = new ClipboardAddon(new Base64(), writeOnlyClipboard);
    const addons = [this.fit, this.search, this.serialize, clipboard];
    for (const addon of addons) this.terminal.loadAddon(addon);
    this.terminal.loadAddon(new UnicodeGraphemesAddon());
    this.terminal.loadAddon(new WebLinksAddon(openLink));
    muteQueries(this.terminal);
    this.terminal.open(mount);
    this.useGraphicsCard();
  }

  setTheme(theme: keyof typeof TERMINAL_THEMES): void {
    this.terminal.options.theme = TERMINAL_THEMES[theme];
    this.terminal.options.minimumContrastRatio = MINIMUM_CONTRAST[theme];
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

  private usualFontSize(): number {
    return window.innerWidth < NARROW_WIDTH ? FONT_SIZE.narrow : FONT_SIZE.wide;
  }

  private setFontSize(size: number): void {
    if (this.terminal.options.fontSize !== size) this.terminal.options.fontSize = size;
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
