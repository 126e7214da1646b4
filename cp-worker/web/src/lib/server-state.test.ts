// What watchers' messages do to the servers on the page.

import { expect, it } from "vitest";
import type { GatewayHealth, GatewayHello } from "@/protocol/generated/events";
import type { Droplet, Server } from "./api";
import {
  RECONNECTING_MS,
  applyToServer,
  changesSessions,
  inMotion,
  serverState,
} from "./server-state";

const server: Server = {
  gateway_id: "g",
  name: "box",
  status: "pending",
  hostname: null,
  version: null,
  system_info: null,
  health: null,
  max_sessions: null,
  last_seen_at: null,
  created_at: 0,
  bootstrap_expires_at: 99,
  idle_since: null,
  droplet: null,
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

const droplet: Droplet = {
  status: "provisioning",
  failure: null,
  region: "ams3",
  size: "s-1vcpu-1gb",
  ip_address: null,
  deadline: 600_000,
  console_url: null,
  price_monthly: 6,
};

it("is reconnecting for half a minute before it is offline", () => {
  const gone = applyToServer(applyToServer(server, hello, 5), offline, 1_000);
  expect(serverState(gone, 1_000)).toBe("reconnecting");
  expect(serverState(gone, 999 + RECONNECTING_MS)).toBe("reconnecting");
  expect(serverState(gone, 1_000 + RECONNECTING_MS)).toBe("offline");
  // A second word of the same thing does not begin it anew.
  expect(applyToServer(gone, offline, 20_000)).toBe(gone);
});

it("ends the wait for a droplet, and the token, with the gateway's first words", () => {
  const ordered = { ...server, droplet };
  expect(serverState(ordered, 5)).toBe("provisioning");
  expect(inMotion(ordered)).toBe(true);
  const there = applyToServer(ordered, hello, 5);
  expect(there).toMatchObject({ bootstrap_expires_at: null, droplet: { status: "active" } });
  expect(serverState(there, 5)).toBe("online");
  expect(inMotion(there)).toBe(false);
});

it("keeps an open token of a gateway that was enrolled before", () => {
  const enrolled = { ...server, status: "offline" as const };
  expect(applyToServer(enrolled, hello, 5).bootstrap_expires_at).toBe(99);
});

it("takes a late gateway for what was waited for", () => {
  const failed = (code: string): Server => ({
    ...server,
    droplet: { ...droplet, status: "failed", failure: { code, message: "" } },
  });
  expect(serverState(failed("timed_out"), 5)).toBe("timed_out");
  expect(serverState(failed("refused"), 5)).toBe("failed");
  const late = applyToServer(failed("timed_out"), hello, 5);
  expect(late.droplet).toMatchObject({ status: "active", failure: null });
  expect(serverState(late, 5)).toBe("online");
});

it("says what a droplet does rather than what its gateway does", () => {
  for (const status of ["powering_off", "off", "powering_on", "destroying"] as const) {
    const one: Server = { ...server, status: "online", droplet: { ...droplet, status } };
    expect(serverState(one, 5)).toBe(status);
    expect(inMotion(one)).toBe(status !== "off");
  }
});
