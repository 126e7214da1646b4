// Deployment by the real wrangler to a stand-in of Cloudflare's API: from nothing, and again.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { start } from "../stand-ins/cloudflare.mjs";

const DEPLOY = fileURLToPath(new URL("../deploy.mjs", import.meta.url));
const MIGRATIONS = readdirSync(new URL("../migrations", import.meta.url)).sort();

/** Runs the deployment; its exit code and all that it said. */
function deploy(url, ...args) {
  const account = { CLOUDFLARE_API_TOKEN: "token", CLOUDFLARE_ACCOUNT_ID: "account" };
  const env = { ...process.env, ...account, CLOUDFLARE_API_BASE_URL: url };
  return new Promise((resolve) => {
    execFile(process.execPath, [DEPLOY, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, said: stdout + stderr });
    });
  });
}

async function cloudflare(t) {
  const { account, url, stop } = await start();
  t.after(stop);
  return { account, url };
}

const secretsOf = (worker) =>
  Object.fromEntries(
    worker.bindings.filter((one) => one.type === "secret_text").map((one) => [one.name, one.text]),
  );

test("an empty account gets all that is needed, and keeps it the next time", async (t) => {
  const { account, url } = await cloudflare(t);
  const first = await deploy(url);
  assert.equal(first.code, 0, first.said);
  assert.deepEqual(account.databases.map((one) => one.name), ["chatcode"]);
  assert.equal(account.stores.length, 1);
  const [{ uuid, statements }] = account.databases;
  const worker = account.workers.get("chatcode");
  const bound = Object.fromEntries(worker.bindings.map((one) => [one.name, one]));
  assert.equal(bound.DB.id, uuid);
  assert.equal(bound.KV.namespace_id, account.stores[0].id);
  assert.equal(bound.HUB.class_name, "GatewayHub");
  assert.equal(bound.ASSETS.type, "assets");
  assert.equal(bound.AUTH_MODE.text, "email");
  for (const name of MIGRATIONS) {
    assert.equal(statements.filter((sql) => sql.includes(`('${name}')`)).length, 1, name);
  }
  // The database is as the new Worker needs it before that one answers.
  const requests = account.requests;
  const uploaded = requests.indexOf("PUT /workers/scripts/chatcode");
  assert.ok(requests.lastIndexOf(`POST /d1/database/${uuid}/query`) < uploaded);

  const secrets = secretsOf(worker);
  assert.deepEqual(Object.keys(secrets).sort(), ["COOKIE_SECRET", "SEALING_KEYS", "TOKEN_SECRET"]);
  assert.equal(new Set(Object.values(secrets)).size, 3);
  assert.equal(Buffer.from(secrets.COOKIE_SECRET, "base64").length, 32);
  assert.match(secrets.SEALING_KEYS, /^1:[A-Za-z0-9+/]{43}=$/);
  for (const secret of Object.values(secrets)) assert.ok(!first.said.includes(secret));
  assert.match(first.said, /secret put MAIL_API_KEY/);

  const again = await deploy(url);
  assert.equal(again.code, 0, again.said);
  assert.equal(account.databases.length, 1);
  assert.equal(account.stores.length, 1);
  assert.equal(account.workers.get("chatcode").uploads, 2);
  const now = secretsOf(account.workers.get("chatcode"));
  assert.deepEqual(now, secrets, "nobody is signed out");
  for (const name of MIGRATIONS) {
    const count = account.databases[0].statements.filter((sql) => sql.includes(`('${name}')`)).length;
    assert.equal(count, 1, name);
  }
});

test("staging has nothing in common with production", async (t) => {
  const { account, url } = await cloudflare(t);
  const staging = await deploy(url, "--env", "staging");
  assert.equal(staging.code, 0, staging.said);
  assert.deepEqual([...account.workers.keys()], ["chatcode-staging"]);
  assert.deepEqual(account.databases.map((one) => one.name), ["chatcode-staging"]);
  assert.match(staging.said, /secret put MAIL_API_KEY --env staging/);
});

test("a failure of the API changes nothing, and no secret is made twice", async (t) => {
  const { account, url } = await cloudflare(t);
  assert.equal((await deploy(url)).code, 0);
  const before = secretsOf(account.workers.get("chatcode"));
  account.failing = 403;
  const failed = await deploy(url);
  assert.equal(failed.code, 1);
  assert.match(failed.said, /error: wrangler/);
  account.failing = undefined;
  assert.deepEqual(secretsOf(account.workers.get("chatcode")), before);
});

test("what would be uploaded fits, in both environments", async () => {
  for (const [args, database] of [[[], "chatcode"], [["--env", "staging"], "chatcode-staging"]]) {
    const { code, said } = await deploy("http://127.0.0.1:9", "--dry-run", ...args);
    assert.equal(code, 0, said);
    assert.ok(said.includes(`env.DB (${database})`), said);
    assert.match(said, /Total Upload: [\d.]+ KiB \/ gzip: [\d.]+ KiB/);
  }
});
