// Joins a session's state machine to the real things: socket, terminal, keyboard, window.

import { SocketShell } from "@/link/socket-shell";
import { sessionPath } from "@/lib/api";
import { watchPageFocus } from "@/lib/page-focus";
import { pageId } from "@/lib/page-id";
import { takePaste, type NamedFile } from "./files/paste";
import { bytesOfBinary, bytesOfText } from "./input";
import { keySequence, modifyText, NO_MODIFIERS, type BarKey, type Modifiers } from "./keys";
import { SessionClient } from "./session-client";
import type {
  Notice,
  SessionEffect,
  SessionEvent,
  SessionTimer,
  SessionView,
} from "./session-types";
import { shortcutOf, type ShortcutAction } from "./shortcuts";
import type { Surface, SurfaceLook } from "./surface";
import { TouchGestures, type TouchHandlers } from "./touch";

/** Milliseconds for which the window must keep its size before the session gets it. */
const RESIZE_PAUSE_MS = 80;

/** Keys that are part of others, and no attempt to type. */
const MODIFIER_KEYS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock"]);

export interface RuntimeHandlers extends TouchHandlers {
  onView(view: SessionView): void;
  onNotice(notice: Notice): void;
  /** The bar's modifiers for the next typed text, which uses them up. */
  takeModifiers(): Modifiers;
  onShortcut(action: ShortcutAction): void;
  /** Files were pasted. */
  onFiles(files: NamedFile[]): void;
  /** Pasted as text, as terminals do, a picture is nothing. */
  onEmptyPaste(): void;
}

export class SessionRuntime {
  private readonly client: SessionClient;
  private readonly shell: SocketShell<SessionTimer>;
  private readonly ending = new AbortController();
  private readonly observer: ResizeObserver;
  private view: SessionView | null = null;
  private layoutTimer = 0;
  /** Lines that were typed: what is pasted later may meet another prompt. */
  private lineCount = 0;

  constructor(
    private readonly surface: Surface,
    private readonly mount: HTMLElement,
    gatewayId: string,
    sessionId: number,
    private readonly handlers: RuntimeHandlers,
  ) {
    this.client = new SessionClient(sessionId, pageId(), Math.random);
    this.shell = new SocketShell(`${sessionPath(gatewayId, sessionId)}/socket`, (event) =>
      this.handle(event),
    );
    this.observer = new ResizeObserver(() => this.layoutSoon());
    this.observer.observe(mount.parentElement ?? mount);
    this.listen();
    this.handle({ type: "start" });
    watchPageFocus((on) => this.handle({ type: "focus", on }), this.ending.signal);
    this.layout();
  }

  dispose(): void {
    this.ending.abort();
    this.observer.disconnect();
    window.clearTimeout(this.layoutTimer);
    this.shell.dispose();
  }

  get linesTyped(): number {
    return this.lineCount;
  }

  get isController(): boolean {
    return this.view?.control === "you" && this.view.ended === null;
  }

  setLook(look: SurfaceLook): void {
    this.surface.setLook(look);
    this.handle({ type: "colors", ...this.surface.colors });
    this.layoutSoon();
  }

  /** Connects again at once. */
  retry(): void {
    this.handle({ type: "retry" });
  }

  takeControl(): void {
    this.handle({ type: "take_control" });
    this.surface.terminal.focus();
  }

  pressKey(key: BarKey, modifiers: Modifiers): void {
    const { applicationCursorKeysMode } = this.surface.terminal.modes;
    this.type(keySequence(key, modifiers, applicationCursorKeysMode));
  }

  /** What a key of the bar prints. */
  pressCharacter(character: string, modifiers: Modifiers): void {
    this.type(modifyText(character, modifiers));
  }

  paste(text: string): void {
    this.handle({ type: "paste", text });
  }

  private type(text: string): void {
    if (text.includes("\r")) this.lineCount += 1;
    this.handle({ type: "input", bytes: bytesOfText(text) });
  }

  private handle(event: SessionEvent): void {
    for (const effect of this.client.handle(event, performance.now())) this.apply(effect);
  }

  private apply(effect: SessionEffect): void {
    const { terminal } = this.surface;
    switch (effect.type) {
      case "write":
        return terminal.write(effect.bytes, () => this.handle({ type: "wrote" }));
      case "reset":
        return terminal.reset();
      case "resize":
        return terminal.resize(effect.cols, effect.rows);
      case "view":
        return this.onView(effect.view);
      case "notice":
        return this.handlers.onNotice(effect.notice);
      default:
        return this.shell.apply(effect);
    }
  }

  private onView(view: SessionView): void {
    const before = this.view;
    this.view = view;
    const mayType = view.connection === "live" && view.control !== "other" && view.ended === null;
    this.surface.terminal.options.disableStdin = !mayType;
    this.surface.terminal.options.cursorBlink = mayType;
    this.handlers.onView(view);
    if (view.ended !== null && before?.ended === null) this.surface.terminal.blur();
    if (before?.control !== view.control) this.layoutSoon();
  }

  private listen(): void {
    const { terminal } = this.surface;
    const { signal } = this.ending;
    terminal.onData((text) => this.type(modifyText(text, this.modifiersFor(text))));
    terminal.onBinary((binary) => this.handle({ type: "input", bytes: bytesOfBinary(binary) }));
    terminal.onResize(() => this.layoutSoon());
    terminal.attachCustomKeyEventHandler((event) => this.onKey(event));
    // Before xterm.js sees it: the gateway knows whether the program wants a bracketed paste.
    this.mount.addEventListener("paste", (event) => this.onPaste(event), { signal, capture: true });
    new TouchGestures(terminal, this.mount, this.handlers, signal);
  }

  /** Reports of the terminal itself (focus, mouse) begin with an escape and use nothing up. */
  private modifiersFor(text: string): Modifiers {
    return text.startsWith("\x1b") ? NO_MODIFIERS : this.handlers.takeModifiers();
  }

  private onPaste(event: ClipboardEvent): void {
    event.preventDefault();
    event.stopPropagation();
    const pasted = takePaste(event.clipboardData);
    if (pasted.files.length > 0) this.handlers.onFiles(pasted.files);
    else if (pasted.text === "") this.handlers.onEmptyPaste();
    else this.paste(pasted.text);
  }

  /** False where the key is dealt with here, and xterm.js must not see it. */
  private onKey(event: KeyboardEvent): boolean {
    if (event.key === "Enter" && event.shiftKey && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      if (event.type === "keydown") this.type("\x1b\r");
      return false;
    }
    const action = shortcutOf(event);
    if (action !== null) {
      event.preventDefault();
      if (event.type === "keydown") this.handlers.onShortcut(action);
      return false;
    }
    const { terminal } = this.surface;
    const inVain = terminal.options.disableStdin && event.type === "keydown";
    if (inVain && !MODIFIER_KEYS.has(event.key) && !event.ctrlKey && !event.metaKey) {
      this.handle({ type: "input", bytes: new Uint8Array() });
    }
    return true;
  }

  private layoutSoon(): void {
    window.clearTimeout(this.layoutTimer);
    this.layoutTimer = window.setTimeout(() => this.layout(), RESIZE_PAUSE_MS);
  }

  /** The controller's window decides the size; every other one shows the session as it is. */
  private layout(): void {
    if (this.view?.control === "other") return this.surface.shrinkToRoom();
    const size = this.surface.fillRoom();
    if (size !== undefined) this.handle({ type: "fit", ...size });
  }
}
