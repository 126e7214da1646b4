// Tells the service worker of a build which files its shell has, and which build it is.

import type { Plugin, Rollup } from "vite";

/** Files outside of the bundle that the shell uses. */
const PUBLIC = ["/theme.js", "/icon.svg"];

/** The font of the shell's text, by the name that it has in its package. */
const FONT = "instrument-sans-latin-wght-normal";

type Chunks = Rollup.OutputChunk[];

/** Paths of all that the app's page loads before any of its routes. */
function shellOf(bundle: Rollup.OutputBundle, entry: Rollup.OutputChunk, chunks: Chunks): string[] {
  const found = new Set<string>();
  const visit = (chunk: Rollup.OutputChunk | undefined) => {
    if (chunk === undefined || found.has(chunk.fileName)) return;
    found.add(chunk.fileName);
    chunk.viteMetadata?.importedCss.forEach((file) => found.add(file));
    chunk.imports.forEach((name) => visit(chunks.find((one) => one.fileName === name)));
  };
  visit(entry);
  Object.keys(bundle)
    .filter((name) => name.includes(FONT))
    .forEach((name) => found.add(name));
  return [...found].sort().map((name) => `/${name}`);
}

/** A number for what is in the bundle: the names of its files say what is in them. */
async function numberOf(bundle: Rollup.OutputBundle): Promise<string> {
  const names = new TextEncoder().encode(Object.keys(bundle).sort().join("\n"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", names));
  return Array.from(digest.slice(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function serviceWorker(): Plugin {
  return {
    name: "chatcode-service-worker",
    apply: "build",
    // After the style sheets are in the bundle.
    enforce: "post",
    async generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((output) => output.type === "chunk");
      const entry = chunks.find((chunk) => chunk.isEntry && chunk.name === "index");
      const worker = chunks.find((chunk) => chunk.fileName === "sw.js");
      if (entry === undefined || worker === undefined) throw new Error("index or sw is missing");
      const shell = [...PUBLIC, ...shellOf(bundle, entry, chunks)];
      worker.code = worker.code
        .replace("__BUILD__", await numberOf(bundle))
        .replace("__SHELL__", JSON.stringify(shell));
    },
  };
}
