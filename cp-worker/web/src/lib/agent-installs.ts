// The agents of a server, and their installations as a watcher's messages tell them.

import type { HubToWatcher } from "@/protocol/generated/browser";
import type { InstallableAgent, InstalledAgent } from "./api";

export interface Install {
  state: "running" | "failed";
  /** The installer's own last words. */
  message: string;
}

export interface Agents {
  /** Null until fetched. */
  list: InstalledAgent[] | null;
  installs: Partial<Record<InstallableAgent, Install>>;
}

export const NO_AGENTS: Agents = { list: null, installs: {} };

/** The agents after `message`; the same object when nothing changed. */
export function applyToAgents(agents: Agents, message: HubToWatcher): Agents {
  switch (message.type) {
    case "agent.install_progress":
      return withInstall(agents, message.agent, { state: "running", message: message.message });
    case "agent.install_failed":
      return withInstall(agents, message.agent, { state: "failed", message: message.message });
    case "agent.installed": {
      const { [message.agent]: _, ...installs } = agents.installs;
      const now = { agent: message.agent, installed: true, version: message.version ?? null };
      const list = agents.list?.map((one) => (one.agent === message.agent ? now : one)) ?? null;
      return { list, installs };
    }
    default:
      return agents;
  }
}

export function withInstall(agents: Agents, agent: InstallableAgent, install: Install): Agents {
  return { ...agents, installs: { ...agents.installs, [agent]: install } };
}

/** Whether its program is there; an agent of which nothing is known yet is taken for installed. */
export function isInstalled({ list }: Agents, agent: string): boolean {
  return list?.find((one) => one.agent === agent)?.installed ?? true;
}
