// One viewer of one session as a pure state machine: no byte of the stream is shown twice, none
// is missed, whatever the network does.

import { Link, FINAL_CLOSE, type LinkEffect, type LinkEvent } from "@/link/link";
import { decodeBase64 } from "@/protocol/base64";
import { decodeFrame } from "@/protocol/frame";
import type { HubToViewer, ViewerState, ViewerToHub } from "@/protocol/generated/browser";
import type { SessionAttention, SessionReplay, SessionSnapshot } from "@/protocol/generated/events";
import { MAX_CELLS } from "@/protocol/limits";
import { distance, narrow } from "@/protocol/seq";
import { OutputQueue } from "./output-queue";
import { encodeInput, encodePaste, isFocusReport } from "./input";
import type {
  Notice,
  SessionEffect,
  SessionEvent,
  SessionView,
  TerminalColors,
  TerminalSize,
} from "./session-types";

/** Parsed bytes after which an ack is sent although the terminal has more to parse. */
export const ACK_EVERY_BYTES = 32 * 1024;

/** Milliseconds within which an attach must bring a snapshot or a replay. */
export const SYNC_DEADLINE_MS = 15_000;

const NOT_CONNECTED: Notice = {
  code: "not_connected",
  message: "Not connected: what you type now is not sent.",
};
const READ_ONLY: Notice = {
  code: "read_only",
  message: "Someone else is typing in this session. Take over to type yourself.",
};

const CLOSED_BY_CODE: Record<number, SessionView["closed"]> = {
  [FINAL_CLOSE.signedOut]: "signed_out",
  [FINAL_CLOSE.notFound]: "not_found",
  [FINAL_CLOSE.ended]: "ended",
};

export class SessionClient {
  private readonly link: Link;
  private readonly queue = new OutputQueue();
  private effects: SessionEffect[] = [];
  private view: SessionView = {
    connection: "reconnecting",
    control: "none",
    viewers: 0,
    size: null,
    pane: null,
    attention: null,
    ended: null,
    closed: null,
  };
  private open = false;
  private published: SessionView | null = null;
  private hub: ViewerState | null = null;
  /** Offset of the next byte expected; null before the first snapshot. */
  private next: number | null = null;
  /** Next byte that the hub was told of; null after a snapshot, which wants an ack of its own. */
  private acked: number | null = 0;
  /** Whether the bytes that come now follow those that are here. */
  private synced = false;
  /** Whether this connection has been in step at least once since the gateway was away. */
  private attached = false;
  private fit: TerminalSize | null = null;
  private requested: TerminalSize | null = null;
  private colors: TerminalColors | null = null;
  /** The colours that this controller has sent since it was in step. */
  private colorsSent: TerminalColors | null = null;
  /** Whether a person looks at the page, and what the hub believes. */
  private focus = { on: false, told: false };
  private pastes = new Set<string>();
  private pasteCount = 0;

  /** @param random a number in [0, 1), for the delays between attempts */
  constructor(
    private readonly sessionId: number,
    random: () => number,
  ) {
    this.link = new Link(random);
  }

  /** @param now milliseconds of any clock that never goes back */
  handle(event: SessionEvent, now: number): SessionEffect[] {
    this.effects = [];
    this.dispatch(event, now);
    this.effects.push(...this.queue.take());
    this.requestFit();
    this.sendColors();
    this.tellFocus();
    this.publishView();
    return this.effects;
  }

  private dispatch(event: SessionEvent, now: number): void {
    switch (event.type) {
      case "text":
        this.onLink({ type: "received" }, now);
        return this.onText(event.text);
      case "binary":
        this.onLink({ type: "received" }, now);
        return this.onBinary(event.bytes);
      case "wrote":
        return this.onWrote();
      case "input":
        return this.onInput(event.bytes);
      case "paste":
        return this.onPaste(event.text);
      case "fit":
        this.fit = {
          cols: Math.min(MAX_CELLS, event.cols),
          rows: Math.min(MAX_CELLS, event.rows),
        };
        return;
      case "colors":
        this.colors = { foreground: event.foreground, background: event.background };
        return;
      case "focus":
        this.focus.on = event.on;
        if (event.on) this.view = { ...this.view, attention: null };
        return;
      case "take_control":
        return this.send({ type: "control.take" });
      case "timer":
        if (event.timer !== "sync") {
          return this.onLink({ type: "timer", timer: event.timer }, now);
        }
        if (!this.synced && this.hub?.gateway !== "offline") this.pushLink(this.link.fail(now));
        return;
      default:
        return this.onLink(event, now);
    }
  }

  private onLink(event: LinkEvent, now: number): void {
    this.pushLink(this.link.handle(event, now));
    if (event.type === "opened") this.attach(this.next);
  }

  private pushLink(effects: LinkEffect[]): void {
    this.effects.push(...effects);
    const wasOpen = this.open;
    this.open = this.link.status === "open";
    if (!wasOpen || this.open) return;
    this.hub = null;
    this.synced = false;
    this.attached = false;
    this.focus.told = false;
    this.effects.push({ type: "clear", timer: "sync" });
    if (this.pastes.size > 0) {
      this.notice("paste_lost", "The connection was lost: the last paste may not have arrived.");
    }
    this.pastes.clear();
  }

  private onText(text: string): void {
    if (text === "pong") return;
    const message = parseMessage(text);
    switch (message?.type) {
      case "viewer.state":
        return this.onViewerState(message);
      case "session.snapshot":
        return this.onSnapshot(message);
      case "session.replay":
        return this.onReplay(message);
      case "session.resized":
        if (!this.synced) return;
        this.queue.resize(message.cols, message.rows);
        this.view = { ...this.view, size: { cols: message.cols, rows: message.rows } };
        return;
      case "session.pane": {
        const { pane, panes } = message;
        this.view = { ...this.view, pane: panes > 1 ? { pane, panes } : null };
        return;
      }
      case "session.lagged":
        // A snapshot follows by itself.
        this.synced = false;
        return;
      case "session.ended": {
        const { reason, exit_code, signal } = message;
        this.view = { ...this.view, ended: { reason, exit_code, signal } };
        return;
      }
      case "session.attention":
        return this.onAttention(message);
      case "session.error":
        return this.notice(message.code, message.message);
      case "error":
        return message.code === "not_controller"
          ? this.push(READ_ONLY)
          : this.notice(message.code, message.message);
      case "ack":
        if (this.pastes.delete(message.request_id) && !message.ok) {
          this.notice("paste_refused", message.error?.message ?? "The paste was refused.");
        }
    }
  }

  private onViewerState(state: ViewerState): void {
    if (state.control === "you" && this.view.control !== "you") {
      this.requested = null;
      this.colorsSent = null;
    }
    const cameBack = this.hub?.gateway === "offline" && state.gateway === "online";
    if (cameBack && !this.synced) this.awaitSync();
    if (state.gateway === "offline") this.synced = this.attached = false;
    this.hub = state;
    this.view = { ...this.view, control: state.control, viewers: state.viewers };
  }

  private onAttention({ reason, title }: SessionAttention): void {
    // The hub heard nothing of this page for a while and no longer believes that it is looked at.
    if (this.focus.on) this.focus.told = false;
    else this.view = { ...this.view, attention: { reason, ...(title && { title }) } };
  }

  private onSnapshot(snapshot: SessionSnapshot): void {
    const data = decodeBase64(snapshot.data);
    if (data === null) return;
    this.queue.restart(snapshot.cols, snapshot.rows, data, snapshot.seq);
    this.next = snapshot.seq;
    this.view = { ...this.view, size: { cols: snapshot.cols, rows: snapshot.rows } };
    // The answer to an attach is followed by the pane if there are several; a recovery is not.
    if (snapshot.request_id !== undefined) this.view = { ...this.view, pane: null };
    this.inStep(null);
  }

  private onReplay(replay: SessionReplay): void {
    const data = decodeBase64(replay.data);
    const resumed = this.next;
    if (data === null) return;
    this.view = { ...this.view, pane: null };
    if (!this.accept(replay.from_seq, data)) return this.attach(null);
    if (!this.synced && resumed !== null) this.inStep(resumed);
  }

  private onBinary(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    if (frame.kind !== "output" || frame.id !== this.sessionId || !this.synced) return;
    if (this.accept(frame.seq, frame.payload)) return;
    this.synced = false;
    this.attach(null);
  }

  /** Adds bytes that start at `seq`, less those that are here already. False on a gap. */
  private accept(seq: number, bytes: Uint8Array): boolean {
    if (this.next === null) return false;
    const known = distance(seq, this.next);
    if (known < 0) return false;
    if (known >= bytes.length) return true;
    const fresh = bytes.subarray(known);
    this.next = narrow(this.next + fresh.length);
    this.queue.write(fresh, this.next);
    return true;
  }

  private attach(resume: number | null): void {
    const message: ViewerToHub = { type: "viewer.attach" };
    this.send(resume === null ? message : { ...message, resume_seq: resume });
    this.awaitSync();
  }

  private awaitSync(): void {
    this.effects.push({ type: "timer", timer: "sync", ms: SYNC_DEADLINE_MS });
  }

  private inStep(acked: number | null): void {
    this.synced = true;
    this.attached = true;
    this.acked = acked;
    this.requested = null;
    this.colorsSent = null;
    this.effects.push({ type: "clear", timer: "sync" });
  }

  private onWrote(): void {
    const parsed = this.queue.wrote();
    // Also after a lag: the snapshot comes only once what was sent before it is acked.
    if (parsed === null || !this.attached) return;
    const fresh = this.acked === null ? ACK_EVERY_BYTES : distance(this.acked, parsed);
    if (fresh <= 0 || (fresh < ACK_EVERY_BYTES && !this.queue.drained)) return;
    this.acked = parsed;
    this.send({ type: "session.ack", seq: parsed });
  }

  private onInput(bytes: Uint8Array): void {
    // The terminal reports focus by itself; that is no wish to type.
    const quiet = isFocusReport(bytes);
    if (quiet ? !this.isController() : !this.mayType()) return;
    for (const data of encodeInput(bytes)) this.send({ type: "session.input", data });
  }

  private onPaste(text: string): void {
    if (text === "" || !this.mayType()) return;
    const paste = encodePaste(text);
    if ("problem" in paste) return this.notice("paste_too_large", paste.problem);
    this.pasteCount += 1;
    const request_id = `paste-${this.pasteCount}`;
    this.pastes.add(request_id);
    this.send({ type: "session.paste", request_id, data: paste.data });
  }

  /** Whether input may be sent; says why when not, and takes control that nobody has. */
  private mayType(): boolean {
    if (this.view.closed !== null || this.view.ended !== null) return false;
    if (this.connection() !== "live") {
      this.push(NOT_CONNECTED);
      return false;
    }
    if (this.view.control === "other") {
      this.push(READ_ONLY);
      return false;
    }
    if (this.view.control === "none") this.send({ type: "control.take" });
    return true;
  }

  private isController(): boolean {
    return this.view.control === "you" && this.connection() === "live";
  }

  /** Asks for the window's size, once for every reason to ask. */
  private requestFit(): void {
    const { fit, requested } = this;
    if (fit === null || !this.isController() || !this.synced) return;
    if (sameSize(fit, requested ?? this.view.size)) return;
    this.requested = fit;
    this.send({ type: "session.resize", ...fit });
  }

  /** Sends the terminal's colours, once for every reason to send them. */
  private sendColors(): void {
    const { colors, colorsSent } = this;
    if (colors === null || !this.isController() || !this.synced) return;
    if (colors === colorsSent) return;
    this.colorsSent = colors;
    this.send({ type: "session.colors", ...colors });
  }

  /** Tells the hub whether a person looks at the page, where it believes otherwise. */
  private tellFocus(): void {
    const { on, told } = this.focus;
    if (on === told || this.link.status !== "open") return;
    this.focus.told = on;
    this.send({ type: "viewer.focus", on });
  }

  private connection(): SessionView["connection"] {
    const { status, online } = this.link;
    if (status === "open") {
      if (this.hub?.gateway === "offline") return "offline";
      // A viewer that fell behind and awaits a snapshot is live all the same: what is typed then,
      // above all Ctrl-C, must not wait for it.
      return this.attached && this.hub !== null ? "live" : "reconnecting";
    }
    return online && status !== "final" ? "reconnecting" : "offline";
  }

  private publishView(): void {
    const view: SessionView = {
      ...this.view,
      connection: this.connection(),
      closed: CLOSED_BY_CODE[this.link.finalCode ?? 0] ?? null,
    };
    if (JSON.stringify(view) === JSON.stringify(this.published)) return;
    this.view = view;
    this.published = view;
    this.effects.push({ type: "view", view });
  }

  private send(message: ViewerToHub): void {
    if (this.link.status !== "open") return;
    this.effects.push({ type: "send", text: JSON.stringify(message) });
  }

  private notice(code: string, message: string): void {
    this.push({ code, message });
  }

  private push(notice: Notice): void {
    this.effects.push({ type: "notice", notice });
  }
}

function sameSize(a: TerminalSize, b: TerminalSize | null): boolean {
  return b !== null && a.cols === b.cols && a.rows === b.rows;
}

/** Messages of the hub; what is not JSON or has no type is nothing to act on. */
function parseMessage(text: string): HubToViewer | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as HubToViewer) : null;
  } catch {
    return null;
  }
}
