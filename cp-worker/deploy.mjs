// Deploys what is built to Cloudflare: database, migrations, secrets and Worker, in this order.
//
//   node cp-worker/deploy.mjs [--env staging] [--dry-run]
//
// `cargo xtask deploy` builds first. Asks nothing and may be repeated: what is there is kept. Needs
// `npx wrangler login`, or CLOUDFLARE_API_TOKEN (and CLOUDFLARE_ACCOUNT_ID, where there are several).
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const CONFIG = join(HERE, "wrangler.toml");
const require = createRequire(import.meta.url);

/** Nothing is asked, nothing is sent to anybody but the API. */
const QUIET = {
  CI: "1",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
};

/** What wrangler says where the Worker was never deployed. */
const NO_WORKER = /Worker "[^"]*" not found/;

/** Secrets that nobody needs to know, made once. Losing them signs out all people and gateways. */
const OWN_SECRETS = {
  COOKIE_SECRET: () => random(),
  TOKEN_SECRET: () => random(),
  SEALING_KEYS: () => `1:${random()}`,
};

const random = () => randomBytes(32).toString("base64");

/** Runs wrangler; its output where it succeeds. */
function wrangler(args, { show = false } = {}) {
  const bin = join(require.resolve("wrangler/package.json"), "../bin/wrangler.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    cwd: HERE,
    env: { ...process.env, ...QUIET },
    encoding: "utf8",
    stdio: ["ignore", show ? "inherit" : "pipe", show ? "inherit" : "pipe"],
  });
  if (status === 0) return stdout;
  const said = `${stdout ?? ""}${stderr ?? ""}`.trim();
  throw new Error(`wrangler ${args.slice(0, 3).join(" ")} failed${said && `:\n${said}`}`);
}

/** The value in wrangler's output, which may have warnings before it. */
function parsed(output) {
  const start = output.search(/^[[{]/m);
  return JSON.parse(output.slice(start));
}

/** Lets `work` use a folder that nobody else can read and that is gone afterwards. */
function aside(work) {
  const folder = mkdtempSync(join(tmpdir(), "chatcode-deploy-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The id of the database, which is made where there is none. */
function database(name) {
  const find = () =>
    parsed(wrangler(["d1", "list", "--json"])).find((one) => one.name === name)?.uuid;
  const known = find();
  if (known) return known;
  console.log(`making the database ${name}`);
  // From a folder without a configuration: wrangler would want to change it.
  aside((folder) => wrangler(["d1", "create", name, "--cwd", folder]));
  return find();
}

/** Applies what is not applied yet. Wrangler wants the id in a configuration, ours has none. */
function migrate({ name, compatibility_date }, { binding, database_name }, database_id) {
  const bound = { binding, database_name, database_id, migrations_dir: join(HERE, "migrations") };
  const config = JSON.stringify({ name, compatibility_date, d1_databases: [bound] });
  aside((folder) => {
    const file = join(folder, "wrangler.json");
    writeFileSync(file, config);
    wrangler(["d1", "migrations", "apply", binding, "--remote", "-c", file], { show: true });
  });
}

/** The secrets that the Worker has. A failure must not be taken for "none". */
function secretsOf(name) {
  try {
    return parsed(wrangler(["secret", "list", "--name", name])).map((one) => one.name);
  } catch (error) {
    if (NO_WORKER.test(error.message)) return [];
    throw error;
  }
}

/** Deploys, with those of our own secrets that are missing. */
function upload(environment, missing) {
  const secrets = Object.fromEntries(missing.map((name) => [name, OWN_SECRETS[name]()]));
  aside((folder) => {
    const file = join(folder, "secrets.json");
    writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
    const more = missing.length ? ["--secrets-file", file] : [];
    wrangler(["deploy", ...environment, ...more], { show: true });
  });
}

async function main() {
  const { values } = parseArgs({
    options: { env: { type: "string" }, "dry-run": { type: "boolean", default: false } },
  });
  // Said also where there is none: wrangler warns otherwise.
  const environment = ["-c", CONFIG, `--env=${values.env ?? ""}`];
  if (values["dry-run"]) {
    wrangler(["deploy", "--dry-run", ...environment], { show: true });
    return;
  }
  const { unstable_readConfig: readConfig } = await import("wrangler");
  const config = readConfig({ config: CONFIG, env: values.env }, { hideWarnings: true });
  const [db] = config.d1_databases;
  migrate(config, db, database(db.database_name));
  const present = secretsOf(config.name);
  const missing = Object.keys(OWN_SECRETS).filter((name) => !present.includes(name));
  if (missing.length) console.log(`making ${missing.join(", ")}`);
  upload(environment, missing);
  if (!present.includes("MAIL_API_KEY")) {
    const where = values.env ? ` --env ${values.env}` : "";
    console.log(`Nobody gets mail yet: npx wrangler secret put MAIL_API_KEY${where}`);
  }
}

try {
  await main();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
