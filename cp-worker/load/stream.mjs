// The two ends of a numbered stream: a gateway that sends it by the contract's credit, and a
// viewer that checks every byte of it.
import { frame } from "../it/harness.mjs";

/** Payload bytes that may be unacknowledged, and that one replay may carry. */
const WINDOW = 256 * 1024;

/** Largest payload of an output frame. */
const FRAME = 16 * 1024;

/** Bytes after which a viewer acks, as the web app does at the latest. */
const ACK_EVERY = 32 * 1024;

/** Milliseconds after which it acks fewer: when a slow page has drawn them. */
const ACK_AFTER_MS = 100;

/** Bytes after which the pattern repeats; prime, so that no frame size hides a shift. */
const PERIOD = 65_521;

const PATTERN = Buffer.alloc(PERIOD + FRAME);
for (let i = 0; i < PATTERN.length; i++) PATTERN[i] = ((i % PERIOD) * 2_654_435_761) >>> 21;

/** Bytes `from` to `to` of the stream number `salt`; no two streams are alike. */
export function bytesOf(salt, from, to) {
  const parts = [];
  for (let at = from; at < to; ) {
    const start = (at + salt * 131) % PERIOD;
    const size = Math.min(to - at, FRAME);
    parts.push(PATTERN.subarray(start, start + size));
    at += size;
  }
  return parts.length === 1 ? parts[0] : Buffer.concat(parts);
}

/** A session's output on the gateway's side: what is wanted, sent and acknowledged. */
export class Source {
  constructor(gateway, session_id, salt) {
    Object.assign(this, { gateway, session_id, salt });
    /** Where the stream is to end, and how far the program has printed it. */
    this.goal = 0;
    this.printed = 0;
    this.sent = 0;
    this.acked = 0;
    this.attached = false;
    /** What viewers typed, in order. */
    this.typed = [];
    this.frames = 0;
    this.snapshots = 0;
    /** Frames differ in size, the same in each run. */
    this.random = salt + 1;
  }

  /** Uses a connection: all that comes on it is handled here. */
  use(gateway) {
    this.gateway = gateway;
    this.attached = false;
    gateway.onMessage = () => {
      for (const one of gateway.received.splice(0)) {
        if (!Buffer.isBuffer(one) && gateway === this.gateway) this.#take(one);
      }
    };
    gateway.onMessage();
  }

  /** The program prints on, as far as the goal. */
  print(bytes) {
    this.printed = Math.min(this.goal, this.printed + bytes);
    this.#pump();
  }

  #pump() {
    while (this.attached && this.sent < this.printed && this.sent - this.acked < WINDOW) {
      this.random = (Math.imul(this.random, 1_103_515_245) + 12_345) >>> 0;
      const room = Math.min(this.printed - this.sent, WINDOW - (this.sent - this.acked));
      const end = this.sent + Math.min(room, 1 + ((this.random >>> 8) % FRAME));
      this.gateway.ws.send(frame(this.session_id, this.sent, bytesOf(this.salt, this.sent, end)));
      this.sent = end;
      this.frames += 1;
    }
  }

  #take(message) {
    const { type, request_id } = message;
    if (type === "session.input") return this.typed.push(atob(message.data));
    if (type === "session.ack") {
      if (message.seq > this.acked && message.seq <= this.sent) this.acked = message.seq;
      return this.#pump();
    }
    if (type === "session.attach") this.#attach(message);
    if (type === "session.detach") this.attached = false;
    if (request_id) this.gateway.send("ack", { request_id, ok: true });
    this.#pump();
  }

  /** Answers by a replay where the ring would still have the bytes, else by a snapshot. */
  #attach(command) {
    const { resume_seq } = command;
    const known = resume_seq !== undefined && resume_seq <= this.sent;
    if (known && this.sent - resume_seq <= WINDOW) {
      this.gateway.replay(command, bytesOf(this.salt, resume_seq, this.sent));
      if (!this.attached) this.acked = resume_seq;
    } else {
      this.gateway.snapshot(command, this.sent);
      this.snapshots += 1;
      if (!this.attached) this.acked = this.sent;
    }
    this.attached = true;
  }
}

/** A viewer's end: checks what comes, acks it, and remembers what it was told. */
export class Sink {
  constructor(session_id, salt, ackAfter = ACK_AFTER_MS) {
    Object.assign(this, { session_id, salt, ackAfter });
    this.next = 0;
    this.acked = 0;
    this.frames = 0;
    this.bytes = 0;
    /** Bytes that a snapshot stood for, after the first one. */
    this.skipped = 0;
    this.state = {};
    this.refused = 0;
    this.wrong = [];
    this.begun = false;
  }

  /** Uses a socket, and attaches where the last one stopped. */
  use(socket) {
    this.socket = socket;
    this.state = {};
    socket.onMessage = () => {
      for (const one of socket.received.splice(0)) {
        if (socket === this.socket) this.#take(one);
      }
    };
    socket.onMessage();
    socket.send("viewer.attach", this.begun ? { resume_seq: this.next } : {});
  }

  type(text) {
    this.socket.send("session.input", { data: btoa(text) });
  }

  #take(message) {
    if (Buffer.isBuffer(message)) {
      this.frames += 1;
      if (message.readUInt32BE(1) !== this.session_id) this.wrong.push("another session's frame");
      this.#bytes(message.readUInt32BE(5), message.subarray(9));
    } else if (message.type === "session.replay") {
      this.#bytes(message.from_seq, Buffer.from(message.data, "base64"));
    } else if (message.type === "session.snapshot") {
      if (this.begun) this.skipped += message.seq - this.next;
      this.begun = true;
      this.next = message.seq;
      this.#ack();
    } else if (message.type === "viewer.state") {
      this.state = message;
    } else if (message.type === "error") {
      this.refused += message.code === "not_controller";
      if (message.code !== "not_controller") this.wrong.push(message.code);
    }
  }

  #bytes(seq, payload) {
    if (seq !== this.next) this.wrong.push(`${seq} came where ${this.next} was due`);
    const end = seq + payload.length;
    if (!bytesOf(this.salt, seq, end).equals(payload)) this.wrong.push(`bytes at ${seq}`);
    this.bytes += payload.length;
    this.next = end;
    if (this.next - this.acked >= ACK_EVERY) this.#ack();
    else this.late ??= setTimeout(() => this.#ack(), this.ackAfter).unref();
  }

  #ack() {
    clearTimeout(this.late);
    this.late = undefined;
    this.acked = this.next;
    if (this.socket.ws.readyState === 1) this.socket.send("session.ack", { seq: this.next });
  }
}
