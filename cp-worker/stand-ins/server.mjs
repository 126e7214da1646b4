// What stand-ins for others' APIs share: a server on this machine, bounded bodies, a life that ends
// with that of the program that started it.
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const MAX_BODY = 1024 * 1024;

/**
 * How a stand-in listens. Milliseconds for which it keeps a connection that nobody uses: longer than
 * any client, as the real services do. If the server closed first, a request could be on its way.
 */
export const LISTENING = { keepAliveTimeout: 60_000 };

/**
 * Answers requests by `answer({method, path, query, headers, body})`, whose result is
 * `{status, json, headers}`; without one it is 404 with `missing`.
 */
export async function serve(answer, { port = 0, missing = { message: "Not Found" } } = {}) {
  const server = createServer(LISTENING, async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://stand-in");
    let body = "";
    for await (const chunk of request) {
      body += chunk;
      if (body.length > MAX_BODY) return request.destroy();
    }
    const { method, headers } = request;
    const asked = { method, path: pathname, query: searchParams, headers, body };
    const { status = 200, json, headers: more } = answer(asked) ?? { status: 404, json: missing };
    response.writeHead(status, { "content-type": "application/json", ...more });
    response.end(json === undefined ? "" : JSON.stringify(json));
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

/** Runs a stand-in as a program: prints {"url": …}, ends when its standard input closes. */
export async function runAlone(module, start) {
  if (process.argv[1] !== fileURLToPath(module)) return;
  const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } });
  const { url } = await start({ port: Number(values.port) });
  process.stdin.on("end", () => process.exit(0)).resume();
  console.log(JSON.stringify({ url }));
}
