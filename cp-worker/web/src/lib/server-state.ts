// What a watcher's messages make of the server that a page shows, and what it is called then.

import type { HubToWatcher } from "@/protocol/generated/browser";
import type { Droplet, Server } from "./api";

/** Milliseconds for which a gateway that went is believed to come back by itself. */
export const RECONNECTING_MS = 30_000;

/** What a person is told about a server, in one word. */
export type ServerState =
  | "online"
  | "reconnecting"
  | "offline"
  | "pending"
  | "timed_out"
  | Exclude<Droplet["status"], "active">;

export function serverState(server: Server, now: number): ServerState {
  const { droplet, status, last_seen_at } = server;
  if (droplet !== null && droplet.status !== "active") {
    const timedOut = droplet.status === "failed" && droplet.failure?.code === "timed_out";
    return timedOut ? "timed_out" : droplet.status;
  }
  if (status !== "offline") return status;
  return now - (last_seen_at ?? 0) < RECONNECTING_MS ? "reconnecting" : "offline";
}

/** Whether something goes on that no watcher's message tells the end of. */
export function inMotion({ droplet }: Server): boolean {
  const moving = ["provisioning", "powering_off", "powering_on", "destroying"];
  return droplet !== null && moving.includes(droplet.status);
}

/** The server after `message`; the same object when nothing changed. */
export function applyToServer(server: Server, message: HubToWatcher, now: number): Server {
  switch (message.type) {
    case "gateway.hello": {
      const { hostname, version, system_info, max_sessions = null } = message;
      const machine = { hostname, version, system_info, max_sessions, last_seen_at: now };
      return { ...server, ...machine, ...arrived(server), status: "online" };
    }
    case "gateway.health":
      return { ...server, status: "online", health: message, last_seen_at: now };
    case "gateway.offline":
      if (server.status !== "online") return server;
      return { ...server, status: "offline", last_seen_at: now, idle_since: null };
    default:
      return server;
  }
}

/** What a gateway's first words end: the wait for it, and its token. */
function arrived({ status, droplet, bootstrap_expires_at }: Server): Partial<Server> {
  const awaited = ["provisioning", "powering_on", "failed"].includes(droplet?.status ?? "");
  return {
    bootstrap_expires_at: status === "pending" ? null : bootstrap_expires_at,
    droplet: droplet && awaited ? { ...droplet, status: "active", failure: null } : droplet,
  };
}

/** Whether `message` means that the list of sessions must be fetched again. */
export function changesSessions(message: HubToWatcher): boolean {
  return (
    message.type === "session.started" ||
    message.type === "session.ended" ||
    message.type === "sessions.changed" ||
    message.type === "gateway.hello" ||
    message.type === "gateway.offline"
  );
}
