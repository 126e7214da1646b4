// An installation as its messages tell it.

import { expect, it } from "vitest";
import type { HubToWatcher } from "@/protocol/generated/browser";
import { NO_AGENTS, applyToAgents, isInstalled, type Agents } from "./agent-installs";

const agents: Agents = {
  list: [
    { agent: "codex", installed: false, version: null },
    { agent: "gemini", installed: true, version: "1.2.3" },
  ],
  installs: {},
};

const about = (type: string, more: object) =>
  ({ type, schema_version: "1", agent: "codex", ...more }) as HubToWatcher;

it("goes on until it is there", () => {
  const running = applyToAgents(agents, about("agent.install_progress", { message: "12 %" }));
  expect(running.installs).toEqual({ codex: { state: "running", message: "12 %" } });
  expect(isInstalled(running, "codex")).toBe(false);
  const there = applyToAgents(running, about("agent.installed", { version: "0.9" }));
  expect(there.installs).toEqual({});
  expect(there.list?.[0]).toEqual({ agent: "codex", installed: true, version: "0.9" });
  expect(there.list?.[1]).toBe(agents.list?.[1]);
});

it("keeps the installer's last lines when it fails, and goes on when it is tried again", () => {
  const failed = applyToAgents(agents, about("agent.install_failed", { message: "no space" }));
  expect(failed.installs.codex).toEqual({ state: "failed", message: "no space" });
  const again = applyToAgents(failed, about("agent.install_progress", { message: "…" }));
  expect(again.installs.codex?.state).toBe("running");
});

it("leaves the agents alone for what is not about them", () => {
  expect(applyToAgents(agents, { type: "sessions.changed" })).toBe(agents);
});

it("offers no installation of what is not known to be missing", () => {
  expect(isInstalled(NO_AGENTS, "codex")).toBe(true);
  expect(isInstalled(agents, "none")).toBe(true);
  expect(isInstalled(agents, "codex")).toBe(false);
});
