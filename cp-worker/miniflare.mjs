// Hosts the built worker on this machine: workerd through Miniflare, D1 on SQLite, no account.
//
//   node cp-worker/miniflare.mjs [--port 0] [--state DIR] [--assets DIR] [--build DIR]
//                                [--auth-mode dev|email] [--no-stdin] [--quiet]
//
// Prints one line of JSON, {"url": …}, once it answers; the worker's log goes to standard error, with
// --quiet only what went wrong. Ends on SIGINT, SIGTERM and when its standard input closes, so that
// it never outlives the process that started it. Passes on what `PASSED` names from the environment.
// As a module it exports `start(options)`, which the tests use.
import { Miniflare } from "./miniflare-mended.mjs";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const HERE = dirname(fileURLToPath(import.meta.url));
// As `run_worker_first` in wrangler.toml.
const WORKER_FIRST = ["/", "/api/*", "/gateway/*", "/install.sh"];

/** Variables and secrets that are passed on where the environment has them. */
const PASSED = [
  ...["SUPPORT_PUBLIC_KEY", "RELEASE_URL", "RELEASE_PUBLIC_KEY"],
  ...["MAIL_API_KEY", "MAIL_API_URL", "MAIL_FROM"],
  ...["GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET", "GITHUB_URL", "GITHUB_API_URL"],
  ...["GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"],
  ...["GOOGLE_AUTH_URL", "GOOGLE_TOKEN_URL", "GOOGLE_API_URL"],
  ...["DO_CLIENT_ID", "DO_CLIENT_SECRET", "DO_API_URL", "DO_OAUTH_URL", "SEALING_KEYS"],
];

/** Milliseconds between two runs of the cron, which nothing else fires here. */
const CRON_MS = 60_000;

/**
 * Starts the worker and applies the migrations.
 *
 * @param {object} options `port` (0 for any), `state` (folder that survives restarts; none: in
 *   memory), `assets` (the built web app; none: no pages), `build`, `authMode`, `bindings`, `entry`
 *   (source of a module that takes the place of index.js, which it can import), `outboundService`
 *   (answers what the worker asks of others, in place of the network), `log` (called with each line
 *   of the worker's log; without it, what went wrong is printed).
 * @returns the Miniflare instance and its `url`
 */
export async function start(options = {}) {
  const build = resolve(options.build ?? join(HERE, "build"));
  const state = options.state && resolve(options.state);
  const assets = resolve(options.assets ?? join(HERE, "web/dist"));
  const mf = new Miniflare({
    name: "chatcode",
    host: "127.0.0.1",
    port: options.port ?? 0,
    cf: false,
    rootPath: build,
    modulesRoot: build,
    modules: [
      ...(options.entry
        ? [{ type: "ESModule", path: join(build, "entry.js"), contents: options.entry }]
        : []),
      { type: "ESModule", path: join(build, "index.js") },
      { type: "CompiledWasm", path: join(build, "index_bg.wasm") },
    ],
    compatibilityDate: "2026-04-01",
    bindings: { AUTH_MODE: options.authMode ?? "dev", ...secrets(state), ...options.bindings },
    d1Databases: { DB: "chatcode" },
    kvNamespaces: { KV: "chatcode" },
    handleRuntimeStdio: (stdout, stderr) => follow([stdout, stderr], options.log),
    durableObjects: { HUB: { className: "GatewayHub", useSQLite: true } },
    ...(options.outboundService && { outboundService: options.outboundService }),
    ...(state && { defaultPersistRoot: state }),
    ...(existsSync(assets) && { assets: site(assets) }),
  });
  try {
    const url = (await mf.ready).origin;
    await migrate(await mf.getD1Database("DB"));
    return { mf, url };
  } catch (error) {
    await mf.dispose();
    throw error;
  }
}

/** Passes on what the runtime prints; standard output is for the address alone. */
function follow(streams, log) {
  const wrong = (line) => line.includes('"level":"info"') || console.error(line);
  for (const input of streams) createInterface({ input }).on("line", log ?? wrong);
}

/**
 * Serves the files of the web app as production does: without running the Worker, which is asked
 * for all else, and with the headers of its `_headers` file.
 */
function site(directory) {
  return {
    directory,
    binding: "ASSETS",
    routerConfig: { has_user_worker: true, static_routing: { user_worker: WORKER_FIRST } },
    assetConfig: { not_found_handling: "none" },
  };
}

/** Secrets of this machine: as lasting as the state that they protect. */
function secrets(state) {
  const fresh = {
    COOKIE_SECRET: randomBytes(32).toString("base64"),
    TOKEN_SECRET: randomBytes(32).toString("base64"),
    SEALING_KEYS: `1:${randomBytes(32).toString("base64")}`,
  };
  if (!state) return fresh;
  const file = join(state, "secrets.json");
  const kept = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  // A state may be older than one of the secrets.
  const all = { ...fresh, ...kept };
  mkdirSync(state, { recursive: true });
  writeFileSync(file, JSON.stringify(all), { mode: 0o600 });
  return all;
}

/** Applies what is not applied yet, in order, each file as a whole or not at all. */
export async function migrate(db, folder = join(HERE, "migrations")) {
  await db
    .prepare("CREATE TABLE IF NOT EXISTS d1_migrations (name TEXT PRIMARY KEY, applied_at TEXT)")
    .run();
  const { results } = await db.prepare("SELECT name FROM d1_migrations").all();
  const applied = new Set(results.map((row) => row.name));
  const files = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  for (const name of files.sort().filter((name) => !applied.has(name))) {
    const done = db
      .prepare("INSERT INTO d1_migrations (name, applied_at) VALUES (?, datetime())")
      .bind(name);
    const text = readFileSync(join(folder, name), "utf8");
    await db.batch([...statements(text).map((sql) => db.prepare(sql)), done]);
  }
}

/** The statements of a migration. Ours hold no semicolon in a literal and no trigger. */
function statements(text) {
  const code = text.replace(/--.*$/gm, "");
  return code.split(";").map((sql) => sql.trim()).filter(Boolean);
}

/** Fires the cron once; resolves when its run is over. */
export async function runCron(mf) {
  const worker = await mf.getWorker();
  return worker.scheduled({ cron: "* * * * *" });
}

async function main() {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: process.env.CHATCODE_PORT ?? "0" },
      state: { type: "string", default: process.env.CHATCODE_STATE },
      assets: { type: "string" },
      build: { type: "string" },
      "auth-mode": { type: "string", default: "dev" },
      "no-stdin": { type: "boolean", default: false },
      quiet: { type: "boolean", default: false },
    },
  });
  const { port, state, assets, build } = values;
  const authMode = values["auth-mode"];
  // Only what is given: what is not set up is not offered.
  const given = PASSED.filter((name) => process.env[name]);
  const bindings = Object.fromEntries(given.map((name) => [name, process.env[name]]));
  const log = values.quiet ? undefined : console.error;
  const options = { port: Number(port), state, assets, build, authMode, bindings, log };
  const { mf, url } = await start(options);
  const cron = setInterval(() => {
    void runCron(mf).catch((error) => console.error("the cron failed:", error));
  }, Number(process.env.CHATCODE_CRON_MS ?? CRON_MS));
  let ending;
  const end = () => {
    clearInterval(cron);
    ending ??= mf.dispose().then(() => process.exit(0));
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  if (!values["no-stdin"]) process.stdin.on("end", end).resume();
  console.log(JSON.stringify({ url }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main();
}
