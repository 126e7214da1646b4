// A stand-in for DigitalOcean on this machine: OAuth and the parts of API v2 that we use, in their
// documented shapes, with their errors, rate limits and eventual consistency.
//
//   node cp-worker/stand-ins/digitalocean.mjs [--port 0] [--consent grant|ask|deny]
//
// Prints one line of JSON, {"url": …}, and ends when its standard input closes. The worker is
// pointed at it by DO_API_URL = url and DO_OAUTH_URL = url + "/v1/oauth"; any DO_CLIENT_ID and
// DO_CLIENT_SECRET do. As a module it exports `start(options)`, whose result has `url`, `close()`,
// `state()` and `control(orders)`. The same over HTTP: `GET /control`, `POST /control`.
//
// Orders, all optional and in any combination:
//   set        {consent, visible_ms, boot_ms, linger_ms, action_ms, droplet_limit, account}: when a
//              new droplet can be found, when it is active, how long a deleted one is still listed,
//              how long an action takes; null in place of milliseconds is "until told"
//   fail       {times, status, method, path, retry_after, after, drop}: the next requests whose
//              path begins with `path`; `after`: it is done all the same; `drop`: cut off
//   settle     true: everybody sees what is, and every action completes
//   activate, remove, power_off, power_on, deafen   a droplet's id: it boots; somebody deletes it,
//              switches it off or on by hand; it does not react to `shutdown`
//   expire_tokens, revoke_grants   true: access tokens are refused; refresh tokens too
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DigitalOcean, MAX_LOG, Refusal, json, notFound } from "./digitalocean-model.mjs";
import { LISTENING } from "./server.mjs";

const MAX_BODY = 1024 * 1024;

const REFUSALS = {
  400: ["bad_request", "error parsing request body"],
  401: ["unauthorized", "Unable to authenticate you"],
  403: ["forbidden", "You do not have access for the attempted action."],
  404: ["not_found", "The resource you requested could not be found."],
  422: ["unprocessable_entity", "creating this/these droplet(s) will exceed your droplet limit"],
  429: ["too_many_requests", "API rate limit exceeded."],
};

async function read(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > MAX_BODY) throw new Refusal(413, "too_large", "Request body is too large.");
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

async function handle(cloud, request, response) {
  const url = new URL(request.url, "http://stand-in");
  const { method, headers } = request;
  const send = (status, body, more = {}) => {
    const limits = { "ratelimit-limit": 5000, "ratelimit-remaining": 4816 };
    const reset = { "ratelimit-reset": Math.ceil(Date.now() / 1000) + 60 };
    const type = { "content-type": "application/json; charset=utf-8" };
    response.writeHead(status, { ...type, ...limits, ...reset, ...more });
    response.end(body === undefined || status === 204 ? "" : JSON.stringify(body));
  };
  const route = async (body) => {
    if (url.pathname === "/control") {
      return send(200, method === "POST" ? cloud.control(json(body)) : cloud.state());
    }
    const form = new URLSearchParams([...url.searchParams, ...new URLSearchParams(body)]);
    switch (`${method} ${url.pathname}`) {
      case "GET /v1/oauth/authorize": {
        const moved = cloud.authorize(url.searchParams, (location) => {
          response.writeHead(302, { location }).end();
          return true;
        });
        return moved || ask(url, response);
      }
      case "POST /v1/oauth/token":
        return send(200, cloud.token(form));
      case "POST /v1/oauth/refresh":
        return send(200, cloud.refresh(form));
      case "POST /v1/oauth/revoke":
        return send(200, cloud.revoke(form, cloud.account(headers)));
      default:
        if (!url.pathname.startsWith("/v2/")) throw notFound();
        return send(...cloud.answer(method, url.pathname, url.searchParams, headers, body));
    }
  };
  try {
    const body = await read(request);
    const failure = url.pathname === "/control" ? undefined : cloud.failure(method, url.pathname);
    if (url.pathname !== "/control") {
      const failed = failure && (failure.drop ? "dropped" : failure.status);
      cloud.requests.push({ method, path: url.pathname, query: url.search, failed });
      cloud.requests = cloud.requests.slice(-MAX_LOG);
    }
    if (!failure) return await route(body);
    if (failure.after && url.pathname.startsWith("/v2/")) {
      cloud.answer(method, url.pathname, url.searchParams, headers, body);
    } else if (failure.after && url.pathname === "/v1/oauth/refresh") {
      cloud.refresh(new URLSearchParams(body));
    }
    if (failure.drop) return request.socket.destroy();
    const { status, retry_after } = failure;
    const [id, message] = REFUSALS[status] ?? ["server_error", "Unexpected server-side error"];
    const wait = retry_after === undefined ? {} : { "retry-after": retry_after };
    throw new Refusal(status, id, message, wait);
  } catch (error) {
    const refused = error instanceof Refusal ? error : new Refusal(500, "server_error", `${error}`);
    const { status, id, message } = refused;
    const oauth = url.pathname.startsWith("/v1/oauth") && status === 400;
    const description = "The provided authorization grant is invalid, expired, revoked, or foreign.";
    const body = oauth
      ? { error: id, error_description: description }
      : { id, message, request_id: randomUUID() };
    if (!response.headersSent) send(status, body, refused.headers);
  }
}

/** The page on which a person decides. */
function ask(url, response) {
  const link = (consent, text) => {
    const target = new URLSearchParams(url.searchParams);
    target.set("consent", consent);
    const href = `?${target}`.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
    return `<p><a id="${consent}" href="${href}">${text}</a></p>`;
  };
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
  const head = "<!doctype html><title>DigitalOcean (stand-in)</title>";
  response.end(`${head}<h1>Authorize application</h1>${link("grant", "Authorize")}${link("deny", "Deny")}`);
}

/** Starts the stand-in; `options` are settings and `port`. */
export async function start({ port = 0, ...settings } = {}) {
  const cloud = new DigitalOcean(settings);
  const answer = (request, response) => void handle(cloud, request, response);
  const server = createServer(LISTENING, answer);
  await new Promise((ready) => server.listen(port, "127.0.0.1", ready));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    state: () => cloud.state(),
    control: (orders) => cloud.control(orders),
    close() {
      server.closeAllConnections();
      return new Promise((closed) => server.close(closed));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "0" },
      consent: { type: "string", default: "grant" },
    },
  });
  const standIn = await start({ port: Number(values.port), consent: values.consent });
  const end = () => standIn.close().then(() => process.exit(0));
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  process.stdin.on("end", end).resume();
  console.log(JSON.stringify({ url: standIn.url }));
}
