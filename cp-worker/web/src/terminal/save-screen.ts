// Lets the browser save what a terminal shows and has shown.

import type { SerializeAddon } from "@xterm/addon-serialize";

/** Saves screen and history as a page, under a name that every file system takes. */
export function saveScreen(name: string, serialize: SerializeAddon): void {
  const page = new Blob([serialize.serializeAsHTML()], { type: "text/html" });
  const address = URL.createObjectURL(page);
  const link = document.createElement("a");
  link.href = address;
  link.download = `${name.replace(/[^\p{L}\p{N}._ -]/gu, "_")}.html`;
  link.click();
  URL.revokeObjectURL(address);
}
