// What a session wants a person for: in words, in lists, and in the title of a page.

import type { HubToWatcher } from "@/protocol/generated/browser";
import type { Session } from "./api";

/** What the program or the terminal said. */
export interface Attention {
  reason: string;
  /** The program's own words. */
  title?: string | null | undefined;
}

/** The program's own words, or a few of ours. */
export function attentionText({ reason, title }: Attention): string {
  if (title) return title;
  switch (reason) {
    case "bell":
      return "The terminal rang its bell";
    case "notification":
      return "A program sent a notification";
    case "waiting":
      return "The agent is waiting for you";
    default:
      return "Something needs you here";
  }
}

/** The sessions that want a person. */
export function wanting(sessions: readonly Session[]): Session[] {
  return sessions.filter(({ status, attention }) => status === "running" && attention !== null);
}

/** The sessions after `message`; the same array when nothing changed. */
export function applyAttention(sessions: Session[], message: HubToWatcher, now: number): Session[] {
  if (message.type !== "session.attention") return sessions;
  const { session_id, reason, title = null } = message;
  const wanted = sessions.find((one) => one.session_id === session_id);
  if (wanted === undefined) return sessions;
  const attention = { at: now, reason, title };
  return sessions.map((one) => (one === wanted ? { ...one, attention } : one));
}

/** A page's title with the number of sessions that want a person. */
export function markedTitle(title: string, count: number): string {
  return count > 0 ? `(${count}) ${title}` : title;
}
