// What goes into and comes out of the state machine of one viewer.

import type { LinkEffect, LinkEvent, LinkTimer } from "@/link/link";
import type { ViewerState } from "@/protocol/generated/browser";
import type { SessionAttention, SessionEnded, SessionPane } from "@/protocol/generated/events";
import type { SessionColors } from "@/protocol/generated/commands";
import type { Missing } from "./outage";
import type { TerminalEffect } from "./output-queue";

/** `sync`: an attach is overdue. `outage`: being away has lasted. */
export type SessionTimer = LinkTimer | "sync" | "outage";

export type SessionEvent =
  | Exclude<LinkEvent, { type: "timer" }>
  | { type: "timer"; timer: SessionTimer }
  | { type: "text"; text: string }
  | { type: "binary"; bytes: Uint8Array }
  /** The terminal has parsed its oldest write. */
  | { type: "wrote" }
  /** A person typed, or the terminal answered a click or a focus. */
  | { type: "input"; bytes: Uint8Array }
  | { type: "paste"; text: string }
  /** The window has room for this many cells. */
  | { type: "fit"; cols: number; rows: number }
  /** The terminal is painted in these colours, each `#rrggbb`. */
  | { type: "colors"; foreground: string; background: string }
  /** Whether a person looks at the page. */
  | { type: "focus"; on: boolean }
  | { type: "take_control" };

export type SessionEffect =
  | Exclude<LinkEffect, { type: "timer" | "clear" }>
  | { type: "timer"; timer: SessionTimer; ms: number }
  | { type: "clear"; timer: SessionTimer }
  | TerminalEffect
  | { type: "view"; view: SessionView }
  | { type: "notice"; notice: Notice };

/** Something that a person should be told. Equal codes replace each other. */
export interface Notice {
  code: string;
  message: string;
}

export interface TerminalSize {
  cols: number;
  rows: number;
}

export type TerminalColors = Pick<SessionColors, "foreground" | "background">;

/** How the viewer stands, for the page around the terminal. */
export interface SessionView {
  connection: "live" | "reconnecting" | "offline";
  /** What is missing while it is not live. */
  missing: Missing | null;
  control: ViewerState["control"];
  viewers: number;
  /** The session's own size; null before the first snapshot. */
  size: TerminalSize | null;
  /** Which of the session's panes is shown; null while it has only one. */
  pane: Pick<SessionPane, "pane" | "panes"> | null;
  /** What the session wants a person for, until one looks at the page. */
  attention: Pick<SessionAttention, "reason" | "title"> | null;
  /** How the session ended, once it has. */
  ended: Pick<SessionEnded, "reason" | "exit_code" | "signal"> | null;
  /** Why the page will not connect again. */
  closed: "signed_out" | "not_found" | "ended" | null;
}
