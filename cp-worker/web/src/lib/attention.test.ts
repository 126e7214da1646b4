// Attention in words, lists and titles.

import { expect, it } from "vitest";
import type { SessionAttention } from "@/protocol/generated/events";
import type { Session } from "./api";
import { applyAttention, attentionText, markedTitle, wanting } from "./attention";

const session = (session_id: number, more: Partial<Session> = {}): Session => ({
  ...{ gateway_id: "gw", session_id, name: "app", workdir: "app", agent: "none" },
  ...{ status: "running", reason: null, exit_code: null, created_at: 1, ended_at: null },
  ...{ last_activity_at: null, archived: false, viewers: 0, attention: null },
  ...more,
});

it("is told in the program's words, or by its reason, also an unknown one", () => {
  expect(attentionText({ reason: "bell", title: "Build done" })).toBe("Build done");
  const reasons = ["bell", "notification", "waiting", "tomorrow's reason"];
  const texts = reasons.map((reason) => attentionText({ reason, title: null }));
  expect(new Set(texts).size).toBe(4);
});

it("comes to the session that it is about", () => {
  const sessions = [session(1), session(2)];
  const message: SessionAttention = {
    type: "session.attention",
    schema_version: "1",
    session_id: 2,
    reason: "bell",
  };
  const after = applyAttention(sessions, message, 5);
  expect(after[0]).toBe(sessions[0]);
  expect(after[1]?.attention).toEqual({ at: 5, reason: "bell", title: null });
  expect(applyAttention(sessions, { ...message, session_id: 3 }, 5)).toBe(sessions);
  expect(applyAttention(sessions, { type: "sessions.changed" }, 5)).toBe(sessions);
});

it("is wanted by running sessions alone", () => {
  const attention = { at: 1, reason: "bell", title: null };
  const ended = { attention, status: "ended" } as const;
  const list = [session(1), session(2, { attention }), session(3, ended)];
  expect(wanting(list).map(({ session_id }) => session_id)).toEqual([2]);
});

it("is counted in titles", () => {
  expect(markedTitle("Servers", 0)).toBe("Servers");
  expect(markedTitle("Servers", 2)).toBe("(2) Servers");
});
