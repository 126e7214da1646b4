// What this page calls itself before the hub: the same through reloads, another one in each tab.

const KEY = "chatcode.page";
const BYTES = 8;

/** 16 hexadecimal digits. */
export function pageId(): string {
  const kept = sessionStorage.getItem(KEY);
  if (kept !== null) return kept;
  const random = crypto.getRandomValues(new Uint8Array(BYTES));
  const id = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  sessionStorage.setItem(KEY, id);
  return id;
}
