// What the tests share: a worker of their own, a signed-in user, a scripted gateway, viewers.
import assert from "node:assert/strict";
import { once } from "node:events";
import WebSocket from "ws";
import { start } from "../miniflare.mjs";

/** Milliseconds within which anything that a test waits for must happen. */
const DEADLINE = 15_000;

/** Resolves to the first truthy result of `probe`, asked again until the deadline. */
export async function until(what, probe, deadline = DEADLINE) {
  for (const end = Date.now() + deadline; ; ) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${deadline} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A worker with a fresh database, disposed of at the end of test `t`. */
export async function world(t, options) {
  const { mf, url } = await start(options);
  t.after(() => mf.dispose());
  return { mf, url };
}

/** A signed-in user of the HTTP API. */
export class User {
  constructor(url) {
    this.url = url;
  }

  static async signIn(url, email = "ada@example.com") {
    const user = new User(url);
    const response = await user.fetch("POST", "/api/auth/dev", { email });
    assert.equal(response.status, 200);
    user.cookie = response.headers.get("set-cookie").split(";")[0];
    return user;
  }

  fetch(method, path, body, headers = {}) {
    if (this.cookie) headers = { cookie: this.cookie, ...headers };
    return fetch(this.url + path, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  /** The JSON body of a request that must succeed with `status`. */
  async ask(method, path, body, status = 200) {
    const response = await this.fetch(method, path, body);
    const text = await response.text();
    assert.equal(response.status, status, `${method} ${path}: ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  /** A new server and a gateway that has enrolled at it. */
  async server(name = "pi") {
    const made = await this.ask("POST", "/api/servers", { name }, 201);
    const gateway = await Gateway.connect(this.url, made.server.gateway_id, made.bootstrap_token);
    gateway.hello({ bootstrap_token: made.bootstrap_token });
    gateway.token = (await gateway.command("gateway.credentials")).auth_token;
    gateway.ack();
    await until("the server is online", async () => {
      const { servers } = await this.ask("GET", "/api/servers");
      return servers.find((one) => one.gateway_id === gateway.id)?.status === "online";
    });
    return gateway;
  }

  /** A new session, which the scripted gateway starts. */
  async session(gateway, name = "shell") {
    const body = { name, workdir: "app", agent: "none", cols: 80, rows: 24 };
    const path = `/api/servers/${gateway.id}/sessions`;
    const answer = this.ask("POST", path, body, 201);
    const { session_id } = await gateway.command("session.create");
    gateway.started(session_id);
    gateway.ack();
    return (await answer).session;
  }

  viewer(gateway, session_id, headers = {}) {
    return this.socket(`/api/servers/${gateway.id}/sessions/${session_id}/socket`, headers);
  }

  watcher(gateway) {
    return this.socket(`/api/servers/${gateway.id}/socket`);
  }

  async socket(path, headers = {}) {
    const cookie = this.cookie ? { cookie: this.cookie } : {};
    const socket = new Socket(this.url + path, { ...cookie, ...headers });
    await socket.opened;
    return socket;
  }
}

/** One end of a WebSocket that keeps what it received until a test asks for it. */
export class Socket {
  constructor(url, headers) {
    this.ws = new WebSocket(url.replace(/^http/, "ws"), { headers, perMessageDeflate: false });
    this.received = [];
    this.opened = once(this.ws, "open");
    this.closed = new Promise((resolve) => {
      this.ws.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
    });
    this.ws.on("message", (data, isBinary) => {
      this.received.push(isBinary ? data : parse(String(data)));
      this.onMessage?.();
    });
  }

  send(type, fields = {}) {
    this.ws.send(JSON.stringify({ type, schema_version: "1", ...fields }));
  }

  /** Takes the first message that fits, leaving the others. */
  async take(what, fits) {
    return until(what, () => {
      const at = this.received.findIndex(fits);
      return at >= 0 && this.received.splice(at, 1)[0];
    });
  }

  /** Takes the first message of a type, and whose fields match if any are given. */
  message(type, fields = {}) {
    const wanted = Object.entries(fields);
    return this.take(`${type} ${JSON.stringify(fields)}`, (one) => {
      return one.type === type && wanted.every(([key, value]) => one[key] === value);
    });
  }

  /** Attaches and waits until live; returns the answer's message. */
  async attach(gateway, fields = {}, seq = 0) {
    this.send("viewer.attach", fields);
    const attach = await gateway.command("session.attach");
    gateway.snapshot(attach, seq);
    gateway.ack();
    const snapshot = await this.message("session.snapshot");
    await this.message("viewer.state", { state: "live" });
    return snapshot;
  }

  close() {
    this.ws.close(1000);
    return this.closed;
  }
}

function parse(text) {
  return text.startsWith("{") ? JSON.parse(text) : { type: text };
}

/** A gateway that does what the test says. */
export class Gateway extends Socket {
  static async connect(url, id, token) {
    const gateway = new Gateway(`${url}/gateway/${id}`, { authorization: `Bearer ${token}` });
    Object.assign(gateway, { url, id, token });
    await gateway.opened;
    return gateway;
  }

  /** The same gateway on a new connection. */
  reconnect() {
    return Gateway.connect(this.url, this.id, this.token);
  }

  hello(fields = {}) {
    const system_info = { os: "linux", arch: "x86_64", cpus: 2, ram_total_bytes: 1e9 };
    this.send("gateway.hello", {
      gateway_id: this.id,
      version: "0.1.0",
      hostname: "pi",
      system_info: { ...system_info, disk_total_bytes: 1e10, tmux_version: "3.3a" },
      sessions: [],
      ...fields,
    });
  }

  /** The next command of a type; `ack` answers it. */
  async command(type) {
    this.last = await this.message(type);
    return this.last;
  }

  ack(fields = { ok: true }) {
    this.send("ack", { request_id: this.last.request_id, ...fields });
  }

  started(session_id) {
    this.send("session.started", { session_id, pid: 1, request_id: this.last.request_id });
  }

  snapshot({ session_id, request_id }, seq, data = "screen") {
    const cursor = { cursor_x: 0, cursor_y: 0, cursor_visible: true };
    this.send("session.snapshot", {
      ...(request_id && { request_id }),
      ...{ session_id, seq, cols: 80, rows: 24, data: btoa(data), alternate_on: false },
      ...{ ...cursor, history_lines: 0, truncated: false },
    });
  }

  replay({ session_id, request_id, resume_seq }, data = "") {
    this.send("session.replay", {
      ...{ request_id, session_id, from_seq: resume_seq },
      data: Buffer.from(data).toString("base64"),
    });
  }

  output(session_id, seq, payload) {
    this.ws.send(frame(session_id, seq, payload));
  }
}

/** A binary output frame. */
export function frame(session_id, seq, payload) {
  const head = Buffer.alloc(9);
  head[0] = 1;
  head.writeUInt32BE(session_id, 1);
  head.writeUInt32BE(seq >>> 0, 5);
  return Buffer.concat([head, Buffer.from(payload)]);
}

/** A frame's parts. */
export function unframe(data) {
  return {
    session_id: data.readUInt32BE(1),
    seq: data.readUInt32BE(5),
    payload: data.subarray(9),
  };
}
