// Where a person wanted to go when the sign-in page came in between.
//
// Kept in this browser, because the link in the mail opens in another tab and a provider leads back
// to the first page. Only a path of our own pages is ever taken.

const KEY = "chatcode.return-to";

/** Milliseconds for which it is remembered: a mail is read within the hour, or not for this. */
const KEPT_MS = 3_600_000;

/** Longest path that is remembered, in characters. */
const PATH_CHARS = 512;

/** `path` if it leads to one of our pages other than the sign-in pages; else "/". */
export function safePath(path: string | null | undefined): string {
  if (!path || path.length > PATH_CHARS || !/^\/(?![/\\])/.test(path)) return "/";
  try {
    const base = "https://chatcode.invalid";
    const url = new URL(path, base);
    if (url.origin !== base || /^\/(sign-in|api|gateway)(\/|$)/.test(url.pathname)) return "/";
    return url.pathname + url.search + url.hash;
  } catch {
    return "/";
  }
}

/** Address of the sign-in page for somebody who wanted to see `path`. */
export function signInPath(path: string): string {
  const safe = safePath(path);
  return safe === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(safe)}`;
}

/** Remembers it, or that there is nothing to remember. */
export function keepReturnPath(path: string, now: number): void {
  try {
    if (path === "/") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify({ path, at: now }));
  } catch {
    // Then they begin on the first page.
  }
}

/** What is remembered. */
export function returnPath(now: number): string {
  try {
    return keptPath(localStorage.getItem(KEY) ?? "", now);
  } catch {
    return "/";
  }
}

/** The path in a remembered text, if it is not too old. */
export function keptPath(text: string, now: number): string {
  try {
    const kept = JSON.parse(text) as { path?: unknown; at?: unknown } | null;
    if (typeof kept?.path !== "string" || typeof kept.at !== "number") return "/";
    return Math.abs(now - kept.at) <= KEPT_MS ? safePath(kept.path) : "/";
  } catch {
    return "/";
  }
}
