// What the viewer's state machine says and keeps of focus, attention, colours and panes.

import { describe, expect, it } from "vitest";
import { encodeBase64 } from "@/protocol/base64";
import { TestViewer } from "./session-client.harness";

const sentTypes = (viewer: TestViewer) => viewer.sent.map(({ type }) => type);

describe("focus", () => {
  const focus = (on: boolean) => ({ type: "focus", on }) as const;

  it("is told on change only", () => {
    const viewer = TestViewer.live();
    viewer.sent = [];
    for (const on of [false, true, true, false, false]) viewer.event(focus(on));
    expect(viewer.sent).toEqual([
      { type: "viewer.focus", on: true },
      { type: "viewer.focus", on: false },
    ]);
  });

  it("is told again after a reconnect, behind the attach", () => {
    const viewer = new TestViewer();
    viewer.event(focus(true));
    viewer.event({ type: "start" });
    viewer.event({ type: "opened" });
    expect(sentTypes(viewer)).toEqual(["viewer.attach", "viewer.focus"]);
    viewer.event({ type: "closed", code: 1006 });
    viewer.sent = [];
    viewer.event({ type: "timer", timer: "retry" });
    viewer.event({ type: "opened" });
    expect(sentTypes(viewer)).toEqual(["viewer.attach", "viewer.focus"]);
  });

  it("that was lost with the connection is not told of the next one", () => {
    const viewer = TestViewer.live();
    viewer.event(focus(true));
    viewer.event({ type: "closed", code: 1006 });
    viewer.event(focus(false));
    viewer.sent = [];
    viewer.event({ type: "timer", timer: "retry" });
    viewer.event({ type: "opened" });
    expect(sentTypes(viewer)).toEqual(["viewer.attach"]);
  });
});

describe("attention", () => {
  const wants = { type: "session.attention", session_id: 7, reason: "waiting", title: "May I?" };

  it("is kept until somebody looks", () => {
    const viewer = TestViewer.live();
    viewer.message(wants);
    expect(viewer.view.attention).toEqual({ reason: "waiting", title: "May I?" });
    viewer.event({ type: "closed", code: 1006 });
    expect(viewer.view.attention).not.toBeNull();
    viewer.event({ type: "focus", on: true });
    expect(viewer.view.attention).toBeNull();
  });

  it("is not shown to one who looks; a hub that does not know is told", () => {
    const viewer = TestViewer.live();
    viewer.event({ type: "focus", on: true });
    viewer.sent = [];
    viewer.message(wants);
    expect(viewer.view.attention).toBeNull();
    expect(viewer.sent).toEqual([{ type: "viewer.focus", on: true }]);
  });
});

describe("colours", () => {
  const dark = { type: "colors", foreground: "#dde6e0", background: "#0c120f" } as const;
  const light = { type: "colors", foreground: "#1b2621", background: "#fbfdfb" } as const;
  const backgrounds = (viewer: TestViewer) =>
    viewer.sent.filter(({ type }) => type === "session.colors").map((one) => one.background);

  it("are sent by the controller, on every change", () => {
    const viewer = TestViewer.live();
    viewer.event(dark);
    viewer.event({ type: "focus", on: false });
    viewer.event(light);
    expect(backgrounds(viewer)).toEqual([dark.background, light.background]);
    expect(viewer.sent.at(-1)).toEqual({ ...light, type: "session.colors" });
  });

  it("of a reader are sent when it takes over", () => {
    const viewer = TestViewer.live({ control: "other" });
    viewer.event(dark);
    expect(backgrounds(viewer)).toEqual([]);
    viewer.state({ control: "you" });
    expect(backgrounds(viewer)).toEqual([dark.background]);
    viewer.state({ control: "other" });
    viewer.state({ control: "you" });
    expect(backgrounds(viewer).length).toBe(2);
  });

  it("wait for the server, and are sent again when it or the connection comes back", () => {
    const viewer = TestViewer.live();
    viewer.event(dark);
    viewer.state({ state: "awaiting", gateway: "offline" });
    viewer.event(light);
    expect(backgrounds(viewer)).toEqual([dark.background]);
    viewer.state({});
    viewer.snapshot(500, "again");
    expect(backgrounds(viewer).at(-1)).toBe(light.background);
    viewer.event({ type: "closed", code: 1006 });
    viewer.event({ type: "timer", timer: "retry" });
    viewer.sent = [];
    viewer.event({ type: "opened" });
    viewer.state({});
    expect(backgrounds(viewer)).toEqual([]);
    viewer.snapshot(600, "and again");
    expect(backgrounds(viewer)).toEqual([light.background]);
  });
});

describe("the shown pane", () => {
  const pane = (pane: number, panes: number) => ({
    ...{ type: "session.pane", session_id: 7, seq: 100 },
    ...{ pane, panes },
  });

  it("is told while there are several", () => {
    const viewer = TestViewer.live();
    expect(viewer.view.pane).toBeNull();
    viewer.message(pane(2, 3));
    expect(viewer.view.pane).toEqual({ pane: 2, panes: 3 });
    viewer.message(pane(1, 1));
    expect(viewer.view.pane).toBeNull();
  });

  it("is forgotten with each attach, whose answer it follows, and not with a recovery", () => {
    const viewer = TestViewer.live();
    viewer.message(pane(2, 2));
    viewer.snapshot(200, "recovered");
    expect(viewer.view.pane).not.toBeNull();
    const data = encodeBase64(new Uint8Array());
    const answer = { request_id: "1-1", session_id: 7, data };
    viewer.message({ ...answer, type: "session.snapshot", seq: 300, cols: 80, rows: 24 });
    expect(viewer.view.pane).toBeNull();
    viewer.message(pane(2, 2));
    viewer.message({ ...answer, type: "session.replay", from_seq: 300 });
    expect(viewer.view.pane).toBeNull();
  });
});
