// What a watcher's messages make of the server that a page shows.

import type { HubToWatcher } from "@/protocol/generated/browser";
import type { Server } from "./api";

/** The server after `message`; the same object when nothing changed. */
export function applyToServer(server: Server, message: HubToWatcher, now: number): Server {
  switch (message.type) {
    case "gateway.hello": {
      const { hostname, version, system_info } = message;
      return { ...server, status: "online", hostname, version, system_info, last_seen_at: now };
    }
    case "gateway.health":
      return { ...server, status: "online", health: message, last_seen_at: now };
    case "gateway.offline":
      return { ...server, status: server.status === "pending" ? "pending" : "offline" };
    default:
      return server;
  }
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
