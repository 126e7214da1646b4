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
