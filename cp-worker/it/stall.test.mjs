// Files that stop moving end by themselves, whoever it is that stands still.
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { test } from "node:test";
import { CHUNK, Files, noise } from "./file-gateway.mjs";
import { User, until, world } from "./harness.mjs";

/** Milliseconds: `FILE_STALL_MS`, `DRAIN_MS` for refused bodies, and time for a loaded machine. */
const DEADLINE = 30_000 + 5_000 + 15_000;

test("a transfer in which nobody moves ends after half a minute", async (t) => {
  const { url } = await world(t);
  const user = await User.signIn(url);
  const gateway = await user.server();
  const files = new Files(gateway);
  files.kept.set("read", noise(20 * 1024 * 1024));
  files.acks = false;
  const open = (method, name, headers = {}) => {
    const path = `/api/servers/${gateway.id}/files?path=${name}`;
    const options = { method, agent: false, headers: { cookie: user.cookie, ...headers } };
    const call = request(url + path, options);
    call.on("error", () => {});
    return call;
  };
  const answer = async (call) => {
    const [response] = await once(call, "response");
    let text = "";
    for await (const part of response) text += part;
    return [response.statusCode, JSON.parse(text).error.code];
  };

  const start = Date.now();
  const unacked = open("PUT", "unacked", { "content-length": 8 * CHUNK });
  unacked.end(noise(8 * CHUNK));
  const unsent = open("PUT", "unsent", { "content-length": 2 * CHUNK });
  unsent.write("a little");
  const unread = open("GET", "read");
  unread.end();
  const broken = once(unread, "response").then(async ([response]) => {
    response.pause();
    const { id } = await files.transfer("read");
    await until("it is cancelled", () => files.cancelled.includes(id), DEADLINE);
    try {
      for await (const part of response) assert.ok(part);
      return false;
    } catch {
      return true;
    }
  });
  const answers = [answer(unacked), answer(unsent)];
  const ids = [await files.transfer("unacked"), await files.transfer("unsent")];
  assert.deepEqual(await Promise.all(answers), [
    [504, "timed_out"],
    [408, "stalled"],
  ]);
  assert.equal(await broken, true);
  const took = Date.now() - start;
  assert.ok(took >= 30_000 && took < DEADLINE, `${took} ms`);
  for (const { id } of ids) assert.ok(files.cancelled.includes(id));
});
