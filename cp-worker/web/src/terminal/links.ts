// Links on the screen: which may be opened, by which gesture, and which want a question first.

/** How a person pointed at the link. */
export interface Gesture {
  /** Of the pointer that went down last. */
  touch: boolean;
  /** Ctrl, or Cmd where that takes its place. */
  held: boolean;
}

/** `ask`: the text does not say where the link leads. */
export type LinkDecision = "open" | "ask" | "ignore";

/** Text that looks like an address itself, with or without its scheme. */
const LOOKS_LIKE_ADDRESS = /^(?:[a-z][a-z0-9+.-]*:\/\/)?[\w-]+(?:\.[\w-]+)+(?:[/:?#]\S*)?$/i;

/**
 * What a click or a tap on a link does. Only addresses of the web are opened, by Ctrl and a click or
 * by a tap: a plain click is the program's.
 *
 * @param text what stands on the screen; null where that is the address itself
 */
export function decide(address: string, text: string | null, { touch, held }: Gesture): LinkDecision {
  const parsed = parse(address);
  if (parsed === null || !(touch || held)) return "ignore";
  if (text === null || sameAddress(text.trim(), parsed)) return "open";
  // A finger cannot hover to see where words lead; a mouse can, but not when they tell a lie.
  return touch || LOOKS_LIKE_ADDRESS.test(text.trim()) ? "ask" : "open";
}

/** Opens an address of the web in another tab, which learns nothing of this one. */
export function openAddress(address: string): void {
  if (parse(address) !== null) window.open(address, "_blank", "noopener,noreferrer");
}

function parse(address: string): URL | null {
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  return url.protocol === "https:" || url.protocol === "http:" ? url : null;
}

/** Whether the text names the address, its scheme and a last slash aside. */
function sameAddress(text: string, address: URL): boolean {
  const plain = (it: string) => it.replace(/^https?:\/\//i, "").replace(/\/$/, "");
  return plain(text) === plain(address.href);
}
