// After a panic the wasm instance is replaced under open sockets, and nobody loses a byte.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CHUNK, Files, noise } from "./file-gateway.mjs";
import { User, unframe, until, world } from "./harness.mjs";

/** Takes an instance for broken, as the panic hook does, when a gateway's frame says so. */
const ENTRY = `
  import Worker, { GatewayHub as Hub } from "./index.js";
  export default Worker;
  export class GatewayHub extends Hub {
    webSocketMessage(socket, message) {
      if (message === "panic") globalThis.__worker_init_state.criticalError = true;
      super.webSocketMessage(socket, message);
    }
  }
`;

test("a hub rebuilds itself after a panic and gives viewers a new beginning", async (t) => {
  const { url } = await world(t, { entry: ENTRY });
  const user = await User.signIn(url);
  const gateway = await user.server();
  const { session_id } = await user.session(gateway);
  const viewer = await user.viewer(gateway, session_id);
  await viewer.attach(gateway, {}, 10);
  const instance = () => user.ask("GET", `/api/dev/hubs/${gateway.id}`);
  const before = await instance();
  gateway.output(session_id, 10, "one");
  await viewer.take("a frame", Buffer.isBuffer);

  gateway.ws.send("panic");
  await viewer.message("viewer.state", { state: "awaiting", control: "you" });
  const attach = await gateway.command("session.attach");
  assert.equal(attach.resume_seq, undefined, "positions are not trusted");
  gateway.output(session_id, 13, "dropped: it is in the snapshot");
  gateway.snapshot(attach, 43);
  gateway.output(session_id, 43, "two");
  await viewer.message("session.snapshot", { seq: 43 });
  assert.equal(String(unframe(await viewer.take("a frame", Buffer.isBuffer)).payload), "two");
  assert.notEqual((await instance()).instance, before.instance);

  // The other half of the Worker and calls through the hub work as before.
  const second = await user.session(gateway, "second");
  await until("both sessions are listed", async () => {
    const { sessions } = await user.ask("GET", `/api/servers/${gateway.id}/sessions`);
    return sessions.some((one) => one.session_id === second.session_id);
  });
});

test("files that a panic leaves behind are cancelled, and the next ones are whole", async (t) => {
  const { url } = await world(t, { entry: ENTRY });
  const user = await User.signIn(url);
  const gateway = await user.server();
  const files = new Files(gateway);
  const path = (name) => `${url}/api/servers/${gateway.id}/files?path=${name}`;
  const headers = { cookie: user.cookie };
  files.acks = false;
  const bytes = noise(6 * CHUNK);
  // Nobody is left to answer it.
  const ending = new AbortController();
  const lost = fetch(path("lost"), { method: "PUT", headers, body: bytes, signal: ending.signal });
  const { id } = await files.transfer("lost");
  gateway.ws.send("panic");
  await until("it is cancelled", () => files.cancelled.includes(id));
  ending.abort();
  await assert.rejects(lost);

  files.acks = true;
  const up = await fetch(path("next"), { method: "PUT", headers, body: bytes });
  assert.equal(up.status, 201);
  const down = await fetch(path("next"), { headers });
  assert.ok(Buffer.from(await down.arrayBuffer()).equals(bytes));
  assert.deepEqual(files.cancelled, [id]);
});
