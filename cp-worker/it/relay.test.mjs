// The relay in real workerd: enrolment, sessions, viewers, control, slow viewers, reconnects.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Gateway, User, unframe, until, world } from "./harness.mjs";

test("a gateway enrols once by its bootstrap token and then has its own", async (t) => {
  const { url } = await world(t);
  const user = await User.signIn(url);
  const made = await user.ask("POST", "/api/servers", { name: "pi" }, 201);
  const { gateway_id } = made.server;
  assert.equal(made.server.status, "pending");

  const gateway = await Gateway.connect(url, gateway_id, made.bootstrap_token);
  gateway.hello({ bootstrap_token: made.bootstrap_token });
  const { auth_token } = await gateway.command("gateway.credentials");
  assert.notEqual(auth_token, made.bootstrap_token);
  gateway.ack();

  // The bootstrap token is burnt as soon as the ack is written.
  await until("the bootstrap token is burnt", async () => {
    const again = new Gateway(`${url}/gateway/${gateway_id}`, {
      authorization: `Bearer ${made.bootstrap_token}`,
    });
    const refused = await again.opened.then(() => again.close(), (error) => error);
    return /401/.test(refused.message);
  });
  const known = await Gateway.connect(url, gateway_id, auth_token);
  known.hello();
  await until("the server is online", async () => {
    const { servers } = await user.ask("GET", "/api/servers");
    return servers[0].status === "online" && servers[0].system_info.tmux_version === "3.3a";
  });
  for (const token of ["", "wrong", auth_token.slice(1)]) {
    const other = new Gateway(`${url}/gateway/${gateway_id}`, {
      authorization: `Bearer ${token}`,
    });
    await assert.rejects(other.opened, /401/);
  }
  // A token is judged without an upgrade, too, and the connection stays.
  for (const [token, status] of [[auth_token, 426], ["wrong", 401], [made.bootstrap_token, 401]]) {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${url}/gateway/${gateway_id}`, { headers });
    assert.equal(response.status, status);
  }
  const { servers } = await user.ask("GET", "/api/servers");
  assert.equal(servers[0].status, "online");
});

test("two viewers see every byte, one of them types, control changes hands", async (t) => {
  const { url } = await world(t);
  const user = await User.signIn(url);
  const gateway = await user.server();
  const { session_id } = await user.session(gateway);

  const first = await user.viewer(gateway, session_id);
  await first.message("viewer.state", { state: "awaiting", gateway: "online" });
  const snapshot = await first.attach(gateway, { history_lines: 50 }, 100);
  assert.equal(atob(snapshot.data), "screen");
  gateway.output(session_id, 100, "before");

  const second = await user.viewer(gateway, session_id);
  second.send("viewer.attach");
  const attach = await gateway.command("session.attach");
  gateway.output(session_id, 106, "between");
  gateway.snapshot(attach, 113);
  gateway.ack();
  gateway.output(session_id, 113, "after");

  const text = (viewer) =>
    Buffer.concat(viewer.received.filter(Buffer.isBuffer).map((one) => unframe(one).payload));
  await until("both have the last byte", () => {
    return [first, second].every((one) => String(text(one)).endsWith("after"));
  });
  assert.equal(String(text(first)), "beforebetweenafter");
  assert.equal(String(text(second)), "after");

  first.send("session.input", { data: btoa("ls\r") });
  assert.equal((await gateway.command("session.input")).data, btoa("ls\r"));
  second.send("session.input", { data: btoa("rm\r") });
  await second.message("error", { code: "not_controller" });
  second.send("control.take");
  await second.message("viewer.state", { control: "you" });
  await first.message("viewer.state", { control: "other" });
  second.send("session.resize", { cols: 100, rows: 30 });
  assert.equal((await gateway.command("session.resize")).cols, 100);

  second.send("session.paste", { request_id: "p1", data: btoa("text") });
  await gateway.command("session.paste");
  gateway.ack();
  await second.message("ack", { request_id: "p1", ok: true });

  await second.close();
  await first.message("viewer.state", { control: "none", viewers: 1 });
  await first.close();
  await gateway.command("session.detach");
});

test("a viewer that stalls does not slow the other and gets a snapshot of its own", async (t) => {
  const { url } = await world(t);
  const user = await User.signIn(url);
  const gateway = await user.server();
  const { session_id } = await user.session(gateway);
  const quick = await user.viewer(gateway, session_id);
  await quick.attach(gateway);
  const slow = await user.viewer(gateway, session_id);
  await slow.attach(gateway);

  // 8 MiB through a window of 256 KiB: the gateway sends only what was acked for.
  const total = 8 * 1024 * 1024;
  const window = 256 * 1024;
  const chunk = Buffer.alloc(16 * 1024, "x");
  let [sent, acked, received] = [0, 0, 0];
  slow.ws.pause();
  quick.onMessage = () => {
    for (const message of quick.received.splice(0)) {
      if (!Buffer.isBuffer(message)) continue;
      assert.equal(unframe(message).seq, received);
      received += unframe(message).payload.length;
      quick.send("session.ack", { seq: received });
    }
  };
  gateway.onMessage = () => {
    for (const message of gateway.received.splice(0)) {
      if (message.type === "session.ack") acked = Math.max(acked, message.seq);
      else gateway.received.push(message);
    }
    for (; sent < total && sent - acked + chunk.length <= window; sent += chunk.length) {
      gateway.output(session_id, sent, chunk);
    }
  };
  gateway.onMessage();
  await until("the quick viewer has it all", () => received === total, 60_000);
  [quick.onMessage, gateway.onMessage] = [undefined, undefined];

  slow.ws.resume();
  await slow.message("viewer.state", { state: "lagging" });
  const frames = slow.received.filter(Buffer.isBuffer);
  const last = unframe(frames.at(-1));
  const position = last.seq + last.payload.length;
  assert.equal(position, 33 * chunk.length, "paused beyond two windows");
  slow.received = [];
  slow.send("session.ack", { seq: position });
  const attach = await gateway.command("session.attach");
  gateway.snapshot(attach, total);
  gateway.output(session_id, total, "end");
  await slow.message("session.snapshot", { seq: total });
  await slow.message("viewer.state", { state: "live" });
  await slow.take("the end", (one) => Buffer.isBuffer(one) && unframe(one).seq === total);
});

test("viewers go on by themselves when the gateway comes back", async (t) => {
  const { url } = await world(t);
  const user = await User.signIn(url);
  const old = await user.server();
  const { session_id } = await user.session(old);
  const lost = await user.session(old, "to be lost");
  const watcher = await user.watcher(old);
  const viewer = await user.viewer(old, session_id);
  await viewer.attach(old, {}, 50);
  old.output(session_id, 50, "seen");
  await viewer.take("the frame", Buffer.isBuffer);
  const abandoned = await user.viewer(old, lost.session_id);

  const gateway = await old.reconnect();
  assert.equal((await old.closed).code, 4002, "the old connection is replaced");
  await viewer.message("viewer.state", { state: "awaiting", gateway: "offline" });
  await watcher.message("gateway.offline");
  gateway.hello({ sessions: [{ session_id, seq: 58, cols: 80, rows: 24 }] });
  const hello = await watcher.message("gateway.hello");
  assert.equal(hello.bootstrap_token, undefined);
  const attach = await gateway.command("session.attach");
  assert.equal(attach.resume_seq, 54);
  gateway.replay(attach, "meanwhile");
  gateway.output(session_id, 54 + 9, "after");
  const replay = await viewer.message("session.replay");
  assert.equal(atob(replay.data), "meanwhile");
  const after = unframe(await viewer.take("the frame", Buffer.isBuffer));
  assert.deepEqual([after.seq, String(after.payload)], [63, "after"]);
  await viewer.message("viewer.state", { state: "live", gateway: "online" });

  // What the gateway neither has nor reported is lost, a while after its hello.
  const ended = await abandoned.message("session.ended");
  assert.equal(ended.reason, "lost");
  assert.equal((await abandoned.closed).code, 4409);
  await until("the session is lost in the list too", async () => {
    const { sessions } = await user.ask("GET", `/api/servers/${old.id}/sessions`);
    return sessions.find((one) => one.name === "to be lost").reason === "lost";
  });
  await viewer.close();
  gateway.ws.terminate();
  await watcher.message("gateway.offline");
});

test("what is malformed is answered, what is too large closes its sender", async (t) => {
  const { url } = await world(t);
  const user = await User.signIn(url);
  const gateway = await user.server();
  const { session_id } = await user.session(gateway);
  const viewer = await user.viewer(gateway, session_id);
  await viewer.attach(gateway);
  for (const text of ["", "{", "[]", '{"type":"session.fly"}', '{"type":"session.input"}']) {
    viewer.ws.send(text);
    await viewer.message("error", { code: "malformed" });
  }
  viewer.ws.send(Buffer.alloc(20));
  await viewer.message("error", { code: "malformed" });
  for (const data of ["", "{", "[]", Buffer.alloc(0), Buffer.alloc(9), Buffer.alloc(5, 1)]) {
    gateway.ws.send(data);
  }
  gateway.output(99, 0, "nobody's");
  gateway.output(session_id, 0, "fine");
  assert.equal(String(unframe(await viewer.take("a frame", Buffer.isBuffer)).payload), "fine");
  viewer.ws.send("x".repeat(2 * 1024 * 1024 + 1));
  assert.equal((await viewer.closed).code, 1009);
  gateway.ws.send(Buffer.alloc(128 * 1024 + 10, 1));
  assert.equal((await gateway.closed).code, 1009);
});
