// One viewer of one session as a pure state machine: the connection, the hub's messages, and what
// a person does. The stream of bytes and the window's wishes are kept by their own files.

import { Link, FINAL_CLOSE, type LinkEffect, type LinkEvent } from "@/link/link";
import { decodeFrame } from "@/protocol/frame";
import type { HubToViewer, ViewerState, ViewerToHub } from "@/protocol/generated/browser";
import type { SessionAttention, SessionReplay, SessionSnapshot } from "@/protocol/generated/events";
import { ControllerWishes } from "./controller-wishes";
import { encodeInput, encodePaste, isFocusReport } from "./input";
import { Outage, type Missing } from "./outage";
import { OutputStream } from "./output-stream";
import type { Notice, SessionEffect, SessionEvent, SessionView } from "./session-types";

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
  private readonly stream = new OutputStream();
  private readonly wishes = new ControllerWishes();
  private readonly outage = new Outage();
  private effects: SessionEffect[] = [];
  private view: SessionView = {
    connection: "reconnecting",
    missing: "control_plane",
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
  private pastes = new Set<string>();
  private pasteCount = 0;

  /** @param random a number in [0, 1), for the delays between attempts */
  constructor(
    private readonly sessionId: number,
    private readonly page: string,
    random: () => number,
  ) {
    this.link = new Link(random);
  }

  /** @param now milliseconds of any clock that never goes back */
  handle(event: SessionEvent, now: number): SessionEffect[] {
    this.effects = [];
    this.dispatch(event, now);
    this.effects.push(...this.stream.take());
    this.effects.push(...this.outage.note(this.missing(), this.isHopeless()));
    this.sendWishes();
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
        return this.wishes.setFit(event);
      case "colors":
        return this.wishes.setColors(event);
      case "focus":
        this.wishes.setFocus(event.on);
        if (event.on) this.view = { ...this.view, attention: null };
        return;
      case "take_control":
        return this.send({ type: "control.take" });
      case "timer":
        if (event.timer === "outage") return this.outage.onTimer();
        if (event.timer !== "sync") {
          return this.onLink({ type: "timer", timer: event.timer }, now);
        }
        if (!this.stream.synced && this.hub?.gateway !== "offline") {
          this.pushLink(this.link.fail(now));
        }
        return;
      default:
        return this.onLink(event, now);
    }
  }

  private onLink(event: LinkEvent, now: number): void {
    this.pushLink(this.link.handle(event, now));
    if (event.type === "opened") this.attach(this.stream.next);
  }

  private pushLink(effects: LinkEffect[]): void {
    this.effects.push(...effects);
    const wasOpen = this.open;
    this.open = this.link.status === "open";
    if (!wasOpen || this.open) return;
    this.hub = null;
    this.stream.detach();
    this.wishes.doubtFocus();
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
        if (!this.stream.synced) return;
        this.stream.resize(message.cols, message.rows);
        this.view = { ...this.view, size: { cols: message.cols, rows: message.rows } };
        return;
      case "session.pane": {
        const { pane, panes } = message;
        this.view = { ...this.view, pane: panes > 1 ? { pane, panes } : null };
        return;
      }
      case "session.lagged":
        // A snapshot follows by itself.
        return this.stream.lose();
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
    if (state.control === "you" && this.view.control !== "you") this.wishes.renew();
    const cameBack = this.hub?.gateway === "offline" && state.gateway === "online";
    if (cameBack && !this.stream.synced) this.awaitSync();
    if (state.gateway === "offline") this.stream.detach();
    this.hub = state;
    this.view = { ...this.view, control: state.control, viewers: state.viewers };
  }

  private onAttention({ reason, title }: SessionAttention): void {
    // The hub heard nothing of this page for a while and no longer believes that it is looked at.
    if (this.wishes.looked) this.wishes.doubtFocus();
    else this.view = { ...this.view, attention: { reason, ...(title && { title }) } };
  }

  private onSnapshot(snapshot: SessionSnapshot): void {
    if (!this.stream.restart(snapshot)) return;
    this.view = { ...this.view, size: { cols: snapshot.cols, rows: snapshot.rows } };
    // The answer to an attach is followed by the pane if there are several; a recovery is not.
    if (snapshot.request_id !== undefined) this.view = { ...this.view, pane: null };
    this.onStep();
  }

  private onReplay(replay: SessionReplay): void {
    const wasSynced = this.stream.synced;
    const outcome = this.stream.resume(replay);
    if (outcome === "bad") return;
    this.view = { ...this.view, pane: null };
    if (outcome === "gap") this.attach(null);
    else if (!wasSynced) this.onStep();
  }

  private onBinary(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    if (frame.kind !== "output" || frame.id !== this.sessionId || !this.stream.synced) return;
    if (this.stream.accept(frame.seq, frame.payload)) return;
    this.stream.lose();
    this.attach(null);
  }

  private attach(resume: number | null): void {
    const message: ViewerToHub = { type: "viewer.attach", page: this.page };
    this.send(resume === null ? message : { ...message, resume_seq: resume });
    this.awaitSync();
  }

  private awaitSync(): void {
    this.effects.push({ type: "timer", timer: "sync", ms: SYNC_DEADLINE_MS });
  }

  /** The bytes that come now follow those that are here. */
  private onStep(): void {
    this.wishes.renew();
    this.effects.push({ type: "clear", timer: "sync" });
  }

  private onWrote(): void {
    const seq = this.stream.wrote();
    if (seq !== null) this.send({ type: "session.ack", seq });
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
    if (this.missing() !== null) {
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
    return this.view.control === "you" && this.missing() === null;
  }

  private sendWishes(): void {
    const asController = this.isController() && this.stream.synced;
    if (asController) this.wishes.ofController(this.view.size).forEach((one) => this.send(one));
    if (this.link.status === "open") this.wishes.ofFocus().forEach((one) => this.send(one));
  }

  private missing(): Missing | null {
    const { status, online } = this.link;
    if (status !== "open") return online || status === "final" ? "control_plane" : "network";
    if (this.hub?.gateway === "offline") return "gateway";
    // A viewer that fell behind and awaits a snapshot is live all the same: what is typed then,
    // above all Ctrl-C, must not wait for it.
    return this.stream.attached && this.hub !== null ? null : "control_plane";
  }

  /** Nothing was ever shown, and it is known that nothing will be: waiting would hide that. */
  private isHopeless(): boolean {
    return this.stream.next === null && this.hub?.gateway === "offline";
  }

  private publishView(): void {
    const view: SessionView = {
      ...this.view,
      ...this.outage.view,
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

/** Messages of the hub; what is not JSON or has no type is nothing to act on. */
function parseMessage(text: string): HubToViewer | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as HubToViewer) : null;
  } catch {
    return null;
  }
}
