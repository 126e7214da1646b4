// Numbers and times as people read them.

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** Bytes with the unit that keeps the number short, by powers of 1,024. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** How long ago `then` was: both in milliseconds. */
export function formatAgo(then: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 45) return "just now";
  return `${formatDuration(seconds)} ago`;
}

/** Seconds in the largest unit that fits. */
export function formatDuration(seconds: number): string {
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  if (hours < 36) return `${hours} h`;
  return `${Math.round(hours / 24)} days`;
}

/** Milliseconds as a clock that counts: minutes and seconds. */
export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** US dollars; prices of an hour keep the digits that matter. */
export function formatDollars(amount: number): string {
  if (amount < 1) return `$${Number(amount.toFixed(5))}`;
  return `$${amount.toFixed(Number.isInteger(amount) ? 0 : 2)}`;
}

/** Milliseconds as a clock that runs: `42 s`, `3:07 min`, then as durations are. */
export function formatElapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds >= 3600) return formatDuration(seconds);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;
}

/** A count with its noun. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Part of a whole in percent, 0 for an empty whole. */
export function percentOf(part: number, whole: number): number {
  return whole > 0 ? (part / whole) * 100 : 0;
}

/** A day as people write it where they are. */
export function formatDate(time: number): string {
  return new Date(time).toLocaleDateString(undefined, { dateStyle: "medium" });
}

/** Words of a program as a sentence: its first word is left alone when it is a name of a program's. */
export function asSentence(words: string): string {
  const text = words.trim();
  const start = /^[a-z]+(?=[ ,:])/.test(text) ? text.charAt(0).toUpperCase() : text.charAt(0);
  const end = /[.!?…]$/.test(text) ? "" : ".";
  return start + text.slice(1) + end;
}
