// The data model from empty and from the version before with data, by wrangler's way and by ours.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Miniflare } from "../miniflare-mended.mjs";
import { migrate } from "../miniflare.mjs";

const MIGRATIONS = fileURLToPath(new URL("../migrations", import.meta.url));
const WRANGLER = join(
  createRequire(import.meta.url).resolve("wrangler/package.json"),
  "../bin/wrangler.js",
);

/** The last migration of the version before. */
const BEFORE = "0002_attention.sql";

/** A folder that is gone after the test. */
function folder(t) {
  const path = mkdtempSync(join(tmpdir(), "chatcode-migrations-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** The migrations of the version before. */
function earlier(t) {
  const path = folder(t);
  const names = readdirSync(MIGRATIONS).filter((name) => name <= BEFORE);
  for (const name of names) cpSync(join(MIGRATIONS, name), join(path, name));
  return path;
}

/** Our own way, as `cargo xtask dev` and the tests go it. */
async function ours(t) {
  const mf = new Miniflare({ modules: true, script: "export default {}", d1Databases: ["DB"] });
  t.after(() => mf.dispose());
  const db = await mf.getD1Database("DB");
  return {
    apply: (migrations) => migrate(db, migrations),
    query: async (sql) => (await db.prepare(sql).all()).results,
    run: (statements) => db.batch(statements.map((sql) => db.prepare(sql))),
  };
}

/** As it is deployed, but to this machine. */
async function wranglers(t) {
  const here = folder(t);
  const config = join(here, "wrangler.json");
  const d1 = (...args) =>
    execFileSync(
      process.execPath,
      [WRANGLER, "d1", ...args, "--local", "--persist-to", join(here, "state"), "-c", config],
      {
        env: { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false" },
        stdio: ["ignore", "pipe", "pipe"],
        encoding: "utf8",
      },
    );
  const execute = (...how) => {
    const said = d1("execute", "DB", "--json", ...how);
    return JSON.parse(said.slice(said.search(/^\[/m)))[0].results;
  };
  return {
    apply: async (migrations_dir) => {
      const bound = { binding: "DB", database_name: "db", database_id: "db", migrations_dir };
      const rest = { name: "it", compatibility_date: "2026-04-01", d1_databases: [bound] };
      writeFileSync(config, JSON.stringify(rest));
      d1("migrations", "apply", "DB");
    },
    query: async (sql) => execute("--command", sql),
    run: async (statements) => {
      const file = join(here, "data.sql");
      writeFileSync(file, statements.map((sql) => `${sql};\n`).join(""));
      execute("--file", file);
    },
  };
}

const WAYS = { ours, wranglers };

/** The tables and indexes, without what belongs to the one or the other way. */
async function schema(db) {
  const rows = await db.query("SELECT type, name, sql FROM sqlite_master ORDER BY type, name");
  const own = rows.filter(({ name, sql }) => sql && !/^(d1_|_cf|sqlite_)/.test(name));
  // One of them lets comments stand, the other does not.
  const plain = (sql) => sql.replace(/--.*$/gm, "").replace(/\s+/g, " ");
  return own.map(({ type, name, sql }) => ({ type, name, sql: plain(sql) }));
}

async function assertSound(db) {
  assert.deepEqual(await db.query("PRAGMA foreign_key_check"), []);
  const [[, verdict]] = Object.entries((await db.query("PRAGMA quick_check"))[0]);
  assert.equal(verdict, "ok");
}

test("from empty both ways come to the same", async (t) => {
  const schemas = {};
  for (const [name, way] of Object.entries(WAYS)) {
    const db = await way(t);
    await db.apply(MIGRATIONS);
    await assertSound(db);
    schemas[name] = await schema(db);
    // Applied again, nothing happens.
    await db.apply(MIGRATIONS);
    assert.deepEqual(await schema(db), schemas[name]);
  }
  assert.ok(schemas.ours.length > 15, `${schemas.ours.length}`);
  assert.deepEqual(schemas.ours, schemas.wranglers);
});

/** A row in each table, and one for each case that a migration treats by itself. */
const DATA = [
  "INSERT INTO users VALUES ('u_1', 1), ('u_2', 2)",
  "INSERT INTO email_identities VALUES ('ada@example.com', 'u_1', 3, 4), ('bob@example.com', 'u_2', 5, NULL)",
  `INSERT INTO do_connections VALUES
     ('c_1', 'u_1', 'uuid', 'ada@example.com', 'sealed', 'sealed too', 2, 6, 7)`,
  `INSERT INTO gateways VALUES
     ('g_0', 'u_1', 'a; semicolon -- and ''quotes''', '${"a".repeat(64)}', NULL, NULL, NULL, 1, 'pi',
      '0.1.0', '{"os":"linux"}', '{"cpu_percent":1}', 8, 9),
     ('g_1', 'u_1', 'pending', NULL, NULL, '${"b".repeat(64)}', 10, 0, NULL, NULL, NULL, NULL, NULL, 11),
     ('g_2', 'u_2', 'another', '${"c".repeat(64)}', '${"d".repeat(64)}', NULL, NULL, 0, NULL, NULL,
      NULL, NULL, NULL, 12), ('g_3', 'u_1', '3', NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, 1),
     ('g_4', 'u_1', '4', NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, 1)`,
  ...[
    ["g_0", 101, "active", "NULL", "NULL"],
    ["g_1", "NULL", "provisioning", 13, "NULL"],
    ["g_3", 103, "failed", "NULL", "'quota exceeded; ask support'"],
    ["g_4", "NULL", "failed", "NULL", "NULL"],
    ["g_2", 104, "destroying", "NULL", "NULL"],
  ].map(
    ([id, droplet, status, deadline, failure]) =>
      `INSERT INTO vps VALUES ('v_${id}', 'u_1', 'c_1', '${id}', ${droplet}, 'fra1', 's-1vcpu-1gb',
         'debian', '203.0.113.1', '${status}', ${deadline}, ${failure}, 14)`,
  ),
  `INSERT INTO sessions VALUES
     ('g_0', 1, 'shell', 'app', 'none', 'running', NULL, NULL, NULL, 15, NULL, 16, 'waiting', 'é'),
     ('g_0', 2, 'gone', '', 'codex', 'ended', 'out_of_memory', NULL, 9, 17, 18, NULL, NULL, NULL),
     ('g_2', 4294967295, 'new', '', 'none', 'starting', NULL, NULL, NULL, 19, NULL, NULL, NULL, NULL)`,
  `INSERT INTO authorized_keys VALUES
     ('g_0', 'SHA256:x', 'ssh-ed25519 AAAA', 'laptop', 'user', NULL, 20, NULL),
     ('g_0', 'SHA256:y', 'ssh-ed25519 AAAB', 'support', 'support', 21, 22, 23)`,
];

/** What a column is called now that was called otherwise. */
const RENAMED = { vps: { provisioning_deadline: "deadline", failure: "failure_message" } };

/** What the migration says where nothing was said. */
const TOLD = "It failed.";

test("from the version before nothing is lost", async (t) => {
  for (const way of Object.values(WAYS)) {
    const db = await way(t);
    await db.apply(earlier(t));
    await db.run(DATA);
    const tables = (await schema(db)).filter((one) => one.type === "table").map(({ name }) => name);
    assert.equal(tables.length, 7);
    const before = new Map();
    for (const table of tables) {
      before.set(table, await db.query(`SELECT * FROM ${table} ORDER BY 1, 2`));
      assert.ok(before.get(table).length > 0, table);
    }
    await db.apply(MIGRATIONS);
    await assertSound(db);
    for (const [table, rows] of before) {
      const now = await db.query(`SELECT * FROM ${table} ORDER BY 1, 2`);
      assert.equal(now.length, rows.length, table);
      for (const [index, row] of rows.entries()) {
        for (const [column, value] of Object.entries(row)) {
          const name = RENAMED[table]?.[column] ?? column;
          const told = column === "failure" && value === null && row.status === "failed";
          assert.equal(now[index][name], told ? TOLD : value, `${table}.${name}`);
        }
      }
    }
  }
});

test("the rules of the tables hold for what was there before, too", async (t) => {
  const db = await ours(t);
  await db.apply(earlier(t));
  await db.run(DATA);
  await db.apply(MIGRATIONS);
  for (const [what, sql] of Object.entries({
    "a user that is not there": "INSERT INTO gateways (gateway_id, user_id, name, created_at) VALUES ('x', 'no', 'n', 1)",
    "a droplet's server": "DELETE FROM gateways WHERE gateway_id = 'g_0'",
    "an account with droplets": "DELETE FROM do_connections",
    "a status that is none": "UPDATE vps SET status = 'lost'",
    "a droplet twice": "UPDATE vps SET droplet_id = 101 WHERE vps_id = 'v_g_1'",
    "a private key": "UPDATE authorized_keys SET public_key = 'BEGIN PRIVATE KEY'",
  })) {
    await assert.rejects(async () => db.run([sql]), /constraint|CHECK|FOREIGN/i, what);
  }
  await db.run(["DELETE FROM vps", "DELETE FROM users WHERE user_id = 'u_1'"]);
  await assertSound(db);
  for (const [table, left] of [["gateways", 1], ["sessions", 1], ["authorized_keys", 0]]) {
    assert.equal((await db.query(`SELECT * FROM ${table}`)).length, left, table);
  }
});
