// The worker in a process of its own, and what /proc says of it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const MINIFLARE = fileURLToPath(new URL("../miniflare.mjs", import.meta.url));

/** Ticks of a second in /proc/PID/stat: the same on every Linux that is not very old. */
const TICKS = 100;

/** Starts the worker on a port of its own, with an empty database. */
export async function serve() {
  const command = [MINIFLARE, "--port", "0"];
  const child = spawn(process.execPath, command, { stdio: ["pipe", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{"url"')) continue;
    child.stdout.resume();
    const { url } = JSON.parse(line);
    const workerd = childOf(child.pid, "workerd");
    const stop = async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, "exit");
    };
    return { url, pids: { node: child.pid, workerd }, stop };
  }
  throw new Error("the worker did not start");
}

function childOf(parent, name) {
  for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const found = stat(pid);
    if (found?.name === name && found.parent === parent) return Number(pid);
  }
  throw new Error(`no ${name} beneath process ${parent}`);
}

function stat(pid) {
  let text;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    name: text.slice(text.indexOf("(") + 1, text.lastIndexOf(")")),
    parent: Number(fields[1]),
    seconds: (Number(fields[11]) + Number(fields[12])) / TICKS,
  };
}

/** Memory in MB and processor time in seconds of the worker's processes. */
export function usage({ node, workerd }) {
  const rss = (pid) => {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(text)[1]) / 1024);
  };
  return {
    workerd_rss_mb: rss(workerd),
    node_rss_mb: rss(node),
    workerd_cpu_s: stat(workerd).seconds,
  };
}
