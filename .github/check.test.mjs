// The workflows are well-formed, and what they and their scripts must do in order is done in order.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { complaints } from "./check.mjs";

const own = fileURLToPath(new URL(".", import.meta.url));
const names = readdirSync(join(own, "workflows"));
const read = (name) => readFileSync(join(own, "workflows", name), "utf8");
const path = (name) => `.github/workflows/${name}`;

const scratch = mkdtempSync(join(tmpdir(), "cc-workflows-"));
after(() => rmSync(scratch, { recursive: true }));

test("the workflows are good", async () => {
  assert.deepEqual(names.sort(), ["release.yml", "size.yml", "test.yml"]);
  const found = await Promise.all(names.map((name) => complaints(read(name), path(name))));
  assert.deepEqual(found.flat(), []);
});

/** A fault, and what is said of it. */
const faults = [
  [(text) => text.replace("runs-on:", "run-on:"), /run-on/],
  [(text) => text.replace("timeout-minutes: 120", "timeout-minutes: soon"), /float number/],
  [(text) => text.replace("    timeout-minutes: 120\n", ""), /no timeout-minutes/],
  [(text) => text.replace("github.ref", "github.reff"), /reff/],
  [(text) => text.replace("permissions:\n  contents: read\n", ""), /no permissions/],
  [(text) => text.replace("contents: read", "contents: some"), /some/],
  [(text) => text.replace("shell: bash", "shell: sh"), /a pipe that fails succeeds/],
  [(text) => text.replace(/checkout@[0-9a-f]+/, "checkout@v4"), /not pinned/],
  [(text) => text.replace("run: cargo xtask test", "run: echo ${{ github.head_ref }}"), /head_ref|by env/],
  [(text) => text.replace("run: cargo xtask test", "run: cargo xtask test $WORDS"), /SC2086/],
  [(text) => text.replace("steps:", "steps:\n  - nothing"), /./],
];

for (const [break_, says] of faults) {
  test(`a broken workflow is found: ${says}`, async () => {
    const broken = break_(read("test.yml"));
    assert.notEqual(broken, read("test.yml"), "the fault is made");
    assert.match((await complaints(broken, path("test.yml"))).join("\n"), says);
  });
}

test("secrets are for the steps that use them, in an environment that a person approves", () => {
  const jobs = read("release.yml").split(/^  (?=\w+:$)/m).slice(1);
  const secret = jobs.filter((job) => job.includes("secrets."));
  assert.equal(secret.length, 2);
  for (const job of secret) {
    assert.match(job, /^    environment: release$/m);
    assert.doesNotMatch(job, /^    env:\n(      .*\n)*.*secrets\./m, "not for the whole job");
  }
});

test("commands of the workflows have the flags that they are given", () => {
  const sources = readdirSync(join(own, "../xtask/src"), { recursive: true, encoding: "utf8" });
  const used = [];
  for (const script of names.map(read)) {
    const lines = script.replaceAll(/ \\\n\s*/g, " ").match(/(?<=^(?!\s*#).*)cargo xtask .*/gm) ?? [];
    used.push(...lines.map((line) => line.split(/ \| | > /)[0].split(/\s+/).slice(2)));
  }
  assert.deepEqual([...new Set(used.map(([command]) => command))].sort(), ["dist", "release", "size", "test"]);
  for (const [command, ...words] of used) {
    const files = sources.filter((name) => name === `${command}.rs` || name.match(`^${command}/.*rs$`));
    const code = files.map((name) => readFileSync(join(own, "../xtask/src", name), "utf8")).join("\n");
    for (const word of words.filter((word) => word.startsWith("--"))) {
      assert.ok(code.includes(`Long("${word.slice(2)}")`), `cargo xtask ${command} has no ${word}`);
    }
  }
});

/** A folder as `cargo xtask release` lays it out. */
function release() {
  const folder = mkdtempSync(join(scratch, "release-"));
  const put = (name, text) => {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  const sum = createHash("sha256").update("binary").digest("hex");
  put("v1.2.3/chatcode-gateway-a", "binary");
  put("v1.2.3/SHA256SUMS", `${sum}  chatcode-gateway-a\n`);
  for (const place of ["", "a/", "b/"]) {
    put(`${place}manifest.json`, "{}\n");
    put(`${place}manifest.json.minisig`, "signature\n");
  }
  return { folder, put };
}

/** Runs the mirror with an `aws` that notes its calls, and fails at the one that `fault` is in. */
function mirror(folder, fault = "no fault") {
  const bin = mkdtempSync(join(scratch, "bin-"));
  const notes = join(bin, "notes");
  writeFileSync(notes, "");
  writeFileSync(
    join(bin, "aws"),
    `#!/bin/sh\necho "$*" >>${notes}\ncase "$*" in *"${fault}"*) exit 1 ;; esac\n`,
  );
  chmodSync(join(bin, "aws"), 0o755);
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  const words = [join(own, "../deploy/mirror.sh"), folder, "v1.2.3", "s3://bucket/"];
  const { status } = spawnSync("sh", words, { env });
  const copies = readFileSync(notes, "utf8").trim().split("\n").filter(Boolean);
  return { status, copied: copies.map((words) => words.split(" ").at(-1)) };
}

const manifests = ["a/", "b/", ""].flatMap((place) =>
  ["manifest.json", "manifest.json.minisig"].map((name) => `s3://bucket/${place}${name}`),
);

test("a release is mirrored with its manifests last", () => {
  const { status, copied } = mirror(release().folder);
  assert.equal(status, 0);
  assert.deepEqual(copied, ["s3://bucket/v1.2.3", ...manifests]);
});

test("no manifest names what did not arrive", () => {
  const failed = mirror(release().folder, "s3://bucket/v1.2.3");
  assert.notEqual(failed.status, 0);
  assert.deepEqual(failed.copied, ["s3://bucket/v1.2.3"]);
  const { folder, put } = release();
  put("v1.2.3/chatcode-gateway-a", "binarz");
  assert.deepEqual(mirror(folder), { status: 1, copied: [] });
});
