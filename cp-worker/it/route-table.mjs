// Every route of the Worker with whom it is for: what routes.test.mjs asks as each kind of caller.
// API.md and src/routes.rs are held against it, so a route that is missing here fails a test.

const KEY =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3sAX0mGmJzQZ2i4m8dGv0c1n5x9Yb7KfQ2oT6wRkLh ada@laptop";
const FINGERPRINT = "SHA256:uNiVztksCsDhcc0u9e8BrrtAdvlsfX92XW6PT21rPQ+";
const SESSION = { name: "n", workdir: "app", agent: "none", cols: 80, rows: 24 };

const SERVER = "/api/servers/:gateway_id";
const A_SESSION = `${SERVER}/sessions/:session_id`;

/** Whom nobody has mailed yet: asking often is another test's subject. */
let last = 0;
const someone = () => ({ email: `eve${(last += 1)}@example.com` });

/**
 * A row: method, path, whom it is for, the status that those get, and what else is sent.
 *
 * `anyone`: it needs no sign-in. `dev`: the same, and it exists with AUTH_MODE=dev only. `person`:
 * whoever is signed in. `owner`: whoever is signed in and has the server of the path. `gateway`: the
 * gateway of the path by its token. The status is of a deployment that has neither providers nor a
 * cloud set up, 101 that of a socket that opens.
 */
export const ROUTES = [
  ["GET", "/install.sh", "anyone", 200],
  ["GET", "/api/config", "anyone", 200],
  ["GET", "/api/status", "anyone", 200],
  ["POST", "/api/auth/dev", "dev", 200, { body: { email: "eve@example.com" } }],
  ["POST", "/api/auth/email", "anyone", 202, { body: someone }],
  ["POST", "/api/auth/email/confirm", "anyone", 410, { body: { token: "A".repeat(43) } }],
  ["GET", "/api/auth/github", "anyone", 404],
  ["GET", "/api/auth/google", "anyone", 404],
  ["GET", "/api/auth/github/callback", "anyone", 404, { query: "code=c&state=s" }],
  ["GET", "/api/auth/google/callback", "anyone", 404, { query: "code=c&state=s" }],
  ["GET", "/api/me", "person", 200],
  ["GET", "/api/me/sign-ins", "person", 200],
  ["DELETE", "/api/me/sign-ins/:sign_in_id", "person", 404],
  ["GET", "/api/servers", "person", 200],
  ["POST", "/api/servers", "person", 201, { body: { name: "another" } }],
  ["PATCH", SERVER, "owner", 200, { body: { name: "renamed" } }],
  ["GET", `${SERVER}/sessions`, "owner", 200],
  ["POST", `${SERVER}/sessions`, "owner", 201, { body: SESSION }],
  ["PATCH", A_SESSION, "owner", 200, { body: { name: "renamed" } }],
  ["GET", `${SERVER}/folders`, "owner", 200],
  ["GET", `${SERVER}/keys`, "owner", 200],
  ["POST", `${SERVER}/keys`, "owner", 201, { body: { public_key: KEY, label: "laptop" } }],
  ["POST", `${SERVER}/keys/support`, "owner", 409],
  ["DELETE", `${SERVER}/keys`, "owner", 204, { query: `fingerprint=${FINGERPRINT}` }],
  ["GET", `${SERVER}/agents`, "owner", 200],
  ["POST", `${SERVER}/agents/:agent`, "owner", 202],
  ["POST", `${SERVER}/update`, "owner", 202, { body: { manifest: "{}", signature: "s" } }],
  ["GET", "/api/release", "anyone", 404],
  ["GET", `${SERVER}/rates`, "owner", 200],
  ["GET", `${SERVER}/history`, "owner", 200],
  ["PUT", `${A_SESSION}/files`, "owner", 201, { query: "path=a", raw: "x" }],
  ["GET", `${A_SESSION}/files`, "owner", 200, { query: "path=a" }],
  ["PUT", `${SERVER}/files`, "owner", 201, { query: "path=a", raw: "x" }],
  ["GET", `${SERVER}/files`, "owner", 200, { query: "path=a" }],
  ["GET", "/api/cloud", "person", 200],
  ["GET", "/api/cloud/connect", "person", 404],
  ["GET", "/api/cloud/callback", "person", 404, { query: "code=c&state=s" }],
  ["GET", "/api/cloud/options", "person", 409],
  ["POST", "/api/cloud/servers", "person", 409, {
    body: { name: "n", region: "fra1", size: "s-1vcpu-1gb" },
  }],
  ["POST", "/api/cloud/servers/:gateway_id/retry", "owner", 404],
  ["POST", "/api/cloud/servers/:gateway_id/power", "owner", 404, { body: { on: false } }],
  ["DELETE", "/api/cloud/servers/:gateway_id", "owner", 404, { body: { name: "renamed" } }],
  ["DELETE", "/api/cloud", "person", 204],
  ["GET", "/api/dev/outbox", "dev", 200],
  ["GET", "/api/dev/hubs/:gateway_id", "owner", 200, { dev: true }],
  ["GET", `${SERVER}/socket`, "owner", 101],
  ["GET", `${A_SESSION}/socket`, "owner", 101],
  ["GET", "/gateway/:gateway_id", "gateway", 101],
  // What ends something comes last: those that are allowed it are asked in this order.
  ["DELETE", A_SESSION, "owner", 204],
  ["POST", `${SERVER}/bootstrap`, "owner", 201],
  ["DELETE", SERVER, "owner", 204],
  ["POST", "/api/auth/sign-out", "anyone", 204],
  ["POST", "/api/auth/sign-out-everywhere", "person", 204],
  ["DELETE", "/api/me", "person", 204, { body: { email: "ada@example.com" } }],
].map(([method, path, whose, status, rest]) => ({ method, path, whose, status, ...rest }));

/** The address of a row with these ids in it. */
export function address(row, { gateway_id, session_id = 1 }) {
  const path = row.path
    .replace(":gateway_id", gateway_id)
    .replace(":session_id", session_id)
    .replace(":sign_in_id", "0".repeat(64))
    .replace(":agent", "codex");
  return row.query ? `${path}?${row.query}` : path;
}

/** Whether a browser opens a WebSocket there. */
export const isSocket = (row) => row.path.endsWith("/socket");

/** Whether something is changed, which only our own pages may ask for. */
export const isMutating = (row) => row.method !== "GET";
