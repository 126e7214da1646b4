// What watchers' messages do to the servers on the page.

import { expect, it } from "vitest";
import type { GatewayHealth, GatewayHello } from "@/protocol/generated/events";
import type { Server } from "./api";
import { applyToServer, changesSessions } from "./server-state";

const server: Server = {
  gateway_id: "g",
  name: "box",
  status: "pending",
  hostname: null,
  version: null,
  system_info: null,
  health: null,
  last_seen_at: null,
  created_at: 0,
};

const hello: GatewayHello = {
  type: "gateway.hello",
  schema_version: "1",
  gateway_id: "g",
  version: "0.1.0",
  hostname: "box-1",
  system_info: { os: "linux", arch: "x86_64", cpus: 2, ram_total_bytes: 1, disk_total_bytes: 1 },
  sessions: [],
};

const offline = { type: "gateway.offline", schema_version: "1", gateway_id: "g" } as const;

it("learns what the machine is when its gateway says hello", () => {
  expect(applyToServer(server, hello, 5)).toMatchObject({
    status: "online",
    hostname: "box-1",
    version: "0.1.0",
    last_seen_at: 5,
  });
});

it("shows the newest health", () => {
  const health = { type: "gateway.health", cpu_percent: 7 } as GatewayHealth;
  expect(applyToServer(server, health, 5)).toMatchObject({ status: "online", health });
});

it("goes offline, but one that never came stays awaited", () => {
  expect(applyToServer(applyToServer(server, hello, 5), offline, 9).status).toBe("offline");
  expect(applyToServer(server, offline, 9).status).toBe("pending");
});

it("leaves the server alone for what is about sessions, and fetches those", () => {
  const changed = { type: "sessions.changed" } as const;
  expect(applyToServer(server, changed, 5)).toBe(server);
  expect(changesSessions(changed)).toBe(true);
  expect(changesSessions({ type: "error", code: "x", message: "" })).toBe(false);
});
