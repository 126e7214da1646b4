// The viewer's state machine: order, gaps, acks, reconnects, input, and who decides the size.

import { describe, expect, it } from "vitest";
import { encodeBase64 } from "@/protocol/base64";
import { INPUT_BYTES, PASTE_BYTES } from "@/protocol/limits";
import { OFFLINE_AFTER_MS } from "./outage";
import { PAGE, TestViewer, latin1 } from "./session-client.harness";

const REPLAY = { type: "session.replay", session_id: 7 };

describe("output", () => {
  it("resets the terminal for a snapshot, then sizes it, then writes", () => {
    const viewer = TestViewer.live();
    expect(viewer.terminal.log).toEqual(["write \x18", "reset", "resize 80x24", "write screen"]);
  });

  it("waits for earlier bytes before a reset, a size, and what follows them", () => {
    const viewer = TestViewer.live();
    viewer.terminal.log = [];
    viewer.frame(100, "one");
    viewer.message({ type: "session.resized", session_id: 7, seq: 103, cols: 90, rows: 30 });
    viewer.frame(103, "two");
    expect(viewer.terminal.log).toEqual(["write one"]);
    viewer.parse();
    expect(viewer.terminal.log).toEqual(["write one", "resize 90x30", "write two"]);
  });

  it("drops duplicates, also in part, and takes the rest", () => {
    const viewer = TestViewer.live();
    viewer.frame(100, "abc");
    viewer.frame(100, "abc");
    viewer.frame(101, "bcde");
    viewer.parse();
    expect(viewer.terminal.content).toBe("screenabcde");
  });

  it("asks for a fresh state on a gap, once, and shows nothing until it comes", () => {
    const viewer = TestViewer.live();
    viewer.sent = [];
    viewer.frame(101, "b");
    viewer.frame(102, "c");
    viewer.parse();
    expect(viewer.sent).toEqual([{ type: "viewer.attach", page: PAGE }]);
    expect(viewer.terminal.content).toBe("screen");
    viewer.snapshot(103, "fresh");
    viewer.frame(103, "!");
    viewer.parse();
    expect(viewer.terminal.content).toBe("fresh!");
  });

  it("counts across the wrap of seq", () => {
    const viewer = TestViewer.live({ seq: 0xffff_fffe });
    viewer.frame(0xffff_fffe, "abcd");
    viewer.frame(2, "ef");
    viewer.parse();
    expect(viewer.terminal.content).toBe("screenabcdef");
    expect(viewer.sent.at(-1)).toEqual({ type: "session.ack", seq: 4 });
  });

  it("ignores frames of other sessions and foreign bytes", () => {
    const viewer = TestViewer.live();
    viewer.frame(100, "x", 8);
    viewer.event({ type: "binary", bytes: Uint8Array.of(9, 9) });
    viewer.event({ type: "text", text: "{" });
    viewer.event({ type: "text", text: "null" });
    viewer.parse();
    expect(viewer.terminal.content).toBe("screen");
    expect(viewer.view.connection).toBe("live");
  });

  it("counts raw bytes where the filter changes some", () => {
    const viewer = TestViewer.live();
    viewer.frame(100, "\x1bktitle\x1b");
    viewer.frame(108, "\\x");
    viewer.parse();
    expect(viewer.terminal.content).toBe("screen\x1b]2;title\x1b\\x");
    expect(viewer.sent.at(-1)).toEqual({ type: "session.ack", seq: 110 });
  });
});

describe("acks", () => {
  it("come when the terminal has parsed everything, or 32 KiB, and not before", () => {
    const viewer = TestViewer.live();
    viewer.sent = [];
    const chunk = "x".repeat(16 * 1024);
    for (let i = 0; i < 5; i += 1) viewer.frame(100 + i * chunk.length, chunk);
    expect(viewer.sent).toEqual([]);
    viewer.parse(2);
    expect(viewer.sent).toEqual([{ type: "session.ack", seq: 100 + 2 * chunk.length }]);
    viewer.parse(1);
    expect(viewer.sent.length).toBe(1);
    viewer.parse();
    expect(viewer.sent.at(-1)).toEqual({ type: "session.ack", seq: 100 + 5 * chunk.length });
    expect(viewer.sent.length).toBe(3);
  });

  it("confirm a snapshot once it is parsed, wherever its stream is", () => {
    for (const seq of [0, 100, 3_000_000_000, 0xffff_ffff]) {
      const viewer = TestViewer.live({ seq });
      expect(viewer.sent).toEqual([{ type: "viewer.attach", page: PAGE }, { type: "session.ack", seq }]);
    }
  });

  it("go on after a lag, for the snapshot waits until what came before is read", () => {
    const viewer = TestViewer.live();
    viewer.frame(100, "abc");
    viewer.event({
      type: "text",
      text: JSON.stringify({
        type: "session.lagged",
        schema_version: "1",
        session_id: 7,
        seq: 103,
      }),
    });
    viewer.sent = [];
    viewer.parse();
    expect(viewer.sent).toEqual([{ type: "session.ack", seq: 103 }]);
  });

  it("are not sent for bytes that a snapshot made void", () => {
    const viewer = TestViewer.live();
    viewer.frame(100, "abc");
    viewer.snapshot(5000, "fresh");
    viewer.sent = [];
    viewer.parse();
    viewer.frame(5000, "d");
    viewer.parse();
    expect(viewer.sent).toEqual([
      { type: "session.ack", seq: 5000 },
      { type: "session.ack", seq: 5001 },
    ]);
  });
});

describe("connection", () => {
  it("resumes from the next byte and goes on without a reset", () => {
    const viewer = TestViewer.live();
    viewer.frame(100, "abc");
    viewer.event({ type: "closed", code: 1006 });
    expect(viewer.view.connection).toBe("reconnecting");
    viewer.sent = [];
    viewer.event({ type: "online" });
    viewer.event({ type: "opened" });
    expect(viewer.sent).toEqual([{ type: "viewer.attach", page: PAGE, resume_seq: 103 }]);
    viewer.state({});
    expect(viewer.view.connection).toBe("reconnecting");
    viewer.message({ ...REPLAY, from_seq: 103, data: btoa("def") });
    viewer.frame(106, "g");
    viewer.parse();
    expect(viewer.terminal.content).toBe("screenabcdefg");
    expect(viewer.view.connection).toBe("live");
  });

  it("asks for a fresh state when a replay starts too late", () => {
    const viewer = TestViewer.live();
    viewer.sent = [];
    viewer.message({ ...REPLAY, from_seq: 104, data: btoa("late") });
    expect(viewer.sent).toEqual([{ type: "viewer.attach", page: PAGE }]);
  });

  it("reconnects while the gateway is away, and takes the hub's replay afterwards", () => {
    const viewer = TestViewer.live();
    viewer.state({ gateway: "offline" });
    expect(viewer.view).toMatchObject({ connection: "reconnecting", missing: "gateway" });
    viewer.state({ gateway: "online", state: "awaiting" });
    expect(viewer.view).toMatchObject({ connection: "reconnecting", missing: "control_plane" });
    viewer.message({ ...REPLAY, from_seq: 100, data: btoa("more") });
    viewer.state({});
    viewer.parse();
    expect(viewer.view).toMatchObject({ connection: "live", missing: null });
    expect(viewer.terminal.content).toBe("screenmore");
  });

  it("is offline once that has lasted, whatever is missing in turn, until it is back", () => {
    const viewer = TestViewer.live();
    viewer.event({ type: "offline" });
    expect(viewer.view).toMatchObject({ connection: "live", missing: null });
    viewer.event({ type: "closed", code: 1006 });
    expect(viewer.view).toMatchObject({ connection: "reconnecting", missing: "network" });
    expect(viewer.timers.outage).toBe(OFFLINE_AFTER_MS);
    viewer.event({ type: "online" });
    viewer.event({ type: "closed", code: 1006 });
    viewer.event({ type: "timer", timer: "outage" });
    expect(viewer.view).toMatchObject({ connection: "offline", missing: "control_plane" });
    viewer.event({ type: "retry" });
    expect(viewer.effects).toContain("connect");
    viewer.event({ type: "opened" });
    viewer.state({ gateway: "offline" });
    expect(viewer.view).toMatchObject({ connection: "offline", missing: "gateway" });
    viewer.state({});
    viewer.message({ ...REPLAY, from_seq: 100, data: "" });
    expect(viewer.view).toMatchObject({ connection: "live", missing: null });
    expect(viewer.timers.outage).toBeUndefined();
    viewer.event({ type: "closed", code: 1006 });
    expect(viewer.view.connection).toBe("reconnecting");
  });

  it("is offline at once where nothing is on the screen and the gateway is away", () => {
    const viewer = TestViewer.opened();
    expect(viewer.view.connection).toBe("reconnecting");
    viewer.state({ state: "awaiting", gateway: "offline" });
    expect(viewer.view).toMatchObject({ connection: "offline", missing: "gateway" });
  });

  it("takes keys while it awaits the snapshot after a lag", () => {
    const viewer = TestViewer.live();
    viewer.state({ state: "lagging" });
    viewer.state({ state: "awaiting" });
    viewer.sent = [];
    viewer.event({ type: "input", bytes: Uint8Array.of(3) });
    expect(viewer.sent).toEqual([{ type: "session.input", data: encodeBase64(Uint8Array.of(3)) }]);
    expect(viewer.view.connection).toBe("live");
  });

  it("comes back when no snapshot comes, unless the gateway is away", () => {
    const viewer = TestViewer.opened();
    viewer.state({ state: "awaiting", gateway: "offline" });
    viewer.event({ type: "timer", timer: "sync" });
    expect(viewer.effects).not.toContain("disconnect");
    viewer.state({ state: "awaiting", gateway: "online" });
    viewer.event({ type: "timer", timer: "sync" });
    expect(viewer.effects).toContain("disconnect");
  });

  it("says why it stays away", () => {
    const viewer = TestViewer.live();
    const ended = { type: "session.ended", session_id: 7, reason: "exited", exit_code: 3 };
    viewer.message(ended);
    viewer.event({ type: "closed", code: 4409 });
    expect(viewer.view).toMatchObject({
      closed: "ended",
      ended: { reason: "exited", exit_code: 3 },
    });
  });
});

describe("input", () => {
  it("travels in pieces that fit", () => {
    const viewer = TestViewer.live();
    viewer.sent = [];
    const bytes = new Uint8Array(INPUT_BYTES + 1).fill(255);
    viewer.event({ type: "input", bytes });
    expect(viewer.sent).toEqual([
      { type: "session.input", data: encodeBase64(bytes.subarray(0, INPUT_BYTES)) },
      { type: "session.input", data: encodeBase64(bytes.subarray(INPUT_BYTES)) },
    ]);
  });

  it("of a read-only viewer becomes a hint", () => {
    const viewer = TestViewer.live({ control: "other" });
    viewer.sent = [];
    viewer.event({ type: "input", bytes: latin1("x") });
    expect(viewer.sent).toEqual([]);
    expect(viewer.notices).toEqual(["read_only"]);
    viewer.event({ type: "take_control" });
    expect(viewer.sent).toEqual([{ type: "control.take" }]);
  });

  it("takes the control that nobody has, but not by a focus report", () => {
    const viewer = TestViewer.live({ control: "none" });
    viewer.sent = [];
    viewer.event({ type: "input", bytes: latin1("\x1b[I") });
    expect(viewer.sent).toEqual([]);
    viewer.event({ type: "input", bytes: latin1("x") });
    expect(viewer.sent.map(({ type }) => type)).toEqual(["control.take", "session.input"]);
  });

  it("is refused aloud while not connected", () => {
    const viewer = TestViewer.live();
    viewer.event({ type: "closed", code: 1006 });
    viewer.event({ type: "input", bytes: latin1("x") });
    expect(viewer.notices).toEqual(["not_connected"]);
  });

  it("is pasted whole, and its refusal told", () => {
    const viewer = TestViewer.live();
    viewer.sent = [];
    viewer.event({ type: "paste", text: "a\nb" });
    const [paste] = viewer.sent;
    expect(paste).toMatchObject({ type: "session.paste", data: btoa("a\rb") });
    const request_id = paste?.request_id;
    viewer.message({ type: "ack", request_id, ok: false, error: { code: "io", message: "no" } });
    expect(viewer.notices).toEqual(["paste_refused"]);
  });

  it("is not pasted above the limit", () => {
    const viewer = TestViewer.live();
    viewer.sent = [];
    viewer.event({ type: "paste", text: "x".repeat(PASTE_BYTES + 1) });
    expect(viewer.sent).toEqual([]);
    expect(viewer.notices).toEqual(["paste_too_large"]);
  });

  it("tells of pastes whose answer was lost with the connection", () => {
    const viewer = TestViewer.live();
    viewer.event({ type: "paste", text: "x" });
    viewer.event({ type: "closed", code: 1006 });
    expect(viewer.notices).toEqual(["paste_lost"]);
  });
});

describe("size", () => {
  const fit = { type: "fit", cols: 100, rows: 40 } as const;
  const resize = { type: "session.resize", cols: 100, rows: 40 };

  it("is asked for by the controller, once for each change of the window", () => {
    const viewer = TestViewer.live();
    viewer.sent = [];
    viewer.event(fit);
    viewer.event(fit);
    expect(viewer.sent).toEqual([resize]);
    viewer.event({ ...fit, cols: 101 });
    expect(viewer.sent.length).toBe(2);
  });

  it("is left alone by a reader, and asked for after a take-over", () => {
    const viewer = TestViewer.live({ control: "other" });
    viewer.event(fit);
    viewer.sent = [];
    viewer.state({ control: "you" });
    expect(viewer.sent).toEqual([resize]);
  });

  it("is asked for again when a fresh state shows another one", () => {
    const viewer = TestViewer.live();
    viewer.event(fit);
    viewer.sent = [];
    viewer.snapshot(500, "other");
    expect(viewer.sent).toEqual([resize]);
  });
});
