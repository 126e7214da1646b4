// Requests for files, as tests make them: whole, or piece by piece.
import { request } from "node:http";
import { User, world } from "./harness.mjs";

export const MIB = 1024 * 1024;

/** A server with a session, and the addresses of files there. */
export async function scene(t) {
  const { url } = await world(t);
  const user = await User.signIn(url);
  const gateway = await user.server();
  const { session_id } = await user.session(gateway);
  const server = `/api/servers/${gateway.id}`;
  const path = (name, place = `${server}/sessions/${session_id}`) =>
    `${place}/files?${new URLSearchParams({ path: name })}`;
  return { url, user, gateway, session_id, server, path };
}

export function put(user, path, body, headers = {}) {
  const options = { method: "PUT", headers: { cookie: user.cookie, ...headers }, body };
  return fetch(user.url + path, options);
}

export function get(user, path, headers = {}) {
  return fetch(user.url + path, { headers: { cookie: user.cookie, ...headers } });
}

export async function code(response) {
  return [response.status, (await response.json()).error.code];
}

/** A request whose body and answer the test handles piece by piece. */
export function open(user, method, path, headers = {}) {
  const options = { method, agent: false, headers: { cookie: user.cookie, ...headers } };
  const call = request(user.url + path, options);
  call.on("error", () => {});
  return call;
}

/** Whether an answer's body breaks off; what came of it. */
export async function drained(response) {
  const parts = [];
  try {
    for await (const part of response) parts.push(part);
    return { broken: false, bytes: Buffer.concat(parts) };
  } catch {
    return { broken: true, bytes: Buffer.concat(parts) };
  }
}
