// The part of Cloudflare's API that a deployment uses: what is made there is remembered.
import { once } from "node:events";
import { createServer } from "node:http";
import { LISTENING } from "./server.mjs";

/** Starts it; `url` is for `CLOUDFLARE_API_BASE_URL`. */
export async function start() {
  const account = new Account();
  const server = createServer(LISTENING, async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const path = request.url.split("?")[0].replace(/^\/client\/v4\/accounts\/[^/]+/, "");
    const { status = 200, error, result = null } = account.answer(
      request.method,
      path,
      Buffer.concat(parts),
    );
    const errors = error ? [error] : [];
    const result_info = { page: 1, per_page: 100, count: 1, total_count: 1 };
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ success: !error, errors, messages: [], result, result_info }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}/client/v4`;
  return { account, url, stop: () => server.close() };
}

const missing = (code, message) => ({ status: 404, error: { code, message } });

/** What an account has. */
class Account {
  databases = [];
  stores = [];
  /** By name: `bindings`, with the secrets among them, and how often it was uploaded. */
  workers = new Map();
  requests = [];
  /** A status with which everything is answered, to see what a failure does. */
  failing = undefined;

  answer(method, path, body) {
    this.requests.push(`${method} ${path}`);
    if (this.failing) return { status: this.failing, error: { code: 10000, message: "no" } };
    const [, first, second, name, rest] = path.split("/");
    if (first === "d1") return this.#database(method, path, body);
    if (first === "storage") return this.#store(method, body);
    if (second === "services") {
      const worker = this.workers.get(name);
      if (!worker) return missing(10090, "This Worker does not exist on this account.");
      const script = { last_deployed_from: "wrangler", tag: "t", migration_tag: worker.tag };
      return { result: { default_environment: { environment: "production", script } } };
    }
    if (second === "scripts") return this.#worker(method, name, rest, body);
    if (second === "subdomain") return { result: { subdomain: "example" } };
    return { result: [] };
  }

  #database(method, path, body) {
    if (method === "POST" && path === "/d1/database") {
      const { name } = JSON.parse(body);
      const uuid = `${String(this.databases.length).padStart(8, "0")}-0000-4000-8000-000000000000`;
      this.databases.push({ uuid, name, version: "production", statements: [] });
      return { result: { uuid, name } };
    }
    const [, , , which, query] = path.split("/");
    if (which === undefined) return { result: this.databases };
    const database = this.databases.find(({ uuid, name }) => uuid === which || name === which);
    if (!database) return missing(7404, "no such database");
    if (query !== "query") return { result: database };
    const { sql } = JSON.parse(body);
    database.statements.push(sql);
    const applied = database.statements.join("\n").matchAll(/values \('([^']+)'\)/gi);
    const rows = [...applied].map(([, name], id) => ({ id, name, applied_at: "then" }));
    const results = /SELECT/.test(sql) ? rows : [];
    return { result: [{ results, success: true, meta: { duration: 1 } }] };
  }

  #store(method, body) {
    if (method === "POST") {
      const { title } = JSON.parse(body);
      this.stores.push({ id: `store${this.stores.length}`.padEnd(32, "0"), title });
      return { result: this.stores.at(-1) };
    }
    return { result: this.stores };
  }

  #worker(method, name, rest, body) {
    if (name === undefined) return { result: [...this.workers.keys()].map((id) => ({ id })) };
    const worker = this.workers.get(name);
    if (rest === "assets-upload-session") return { result: { jwt: "jwt", buckets: [] } };
    if (method === "PUT" && rest === undefined) {
      const { bindings, migrations } = metadata(body);
      const before = worker?.bindings ?? [];
      const given = bindings.filter((one) => one.type !== "inherit");
      const named = new Set(given.map((one) => one.name));
      const inherited = new Set(bindings.filter((one) => one.type === "inherit").map((one) => one.name));
      const kept = before.filter((one) => {
        return !named.has(one.name) && (one.type === "secret_text" || inherited.has(one.name));
      });
      this.workers.set(name, {
        bindings: [...kept, ...given],
        tag: migrations?.new_tag ?? worker?.tag,
        uploads: (worker?.uploads ?? 0) + 1,
      });
      return { result: { id: name, startup_time_ms: 1, deployment_id: "d", entry_point: "index.js" } };
    }
    if (!worker) return missing(10007, "This Worker does not exist on your account.");
    if (rest === "secrets") {
      const secrets = worker.bindings.filter((one) => one.type === "secret_text");
      return { result: secrets.map(({ name, type }) => ({ name, type })) };
    }
    if (rest === "settings") return { result: { bindings: worker.bindings } };
    if (rest === "deployments") return { result: { deployments: [] } };
    if (rest === "subdomain") return { result: { enabled: true, previews_enabled: false } };
    return { result: [] };
  }
}

/** What an upload says of the Worker: the first part of its form. */
function metadata(body) {
  const text = body.toString("latin1");
  const start = text.indexOf("{", text.indexOf('name="metadata"'));
  return JSON.parse(text.slice(start, text.indexOf("\r\n--", start)));
}
