// Names of files that come from a browser, and paths that a person has selected.

/** Longest name in UTF-8 bytes: file systems take 255, and a number may be added. */
export const NAME_BYTES = 240;

const encoder = new TextEncoder();

/** What browsers call a picture that is no file: a screenshot, or one copied from a page. */
const NAMELESS = /^image\.\w+$/i;

/** Endings of names where the type is all that is known. */
const ENDINGS: Record<string, string> = {
  "image/png": ".png",
  "image/jpeg": ".jpg",
  "image/gif": ".gif",
  "image/webp": ".webp",
  "image/svg+xml": ".svg",
  "image/heic": ".heic",
  "image/avif": ".avif",
};

/** A name without what could be a folder, a control, or text that runs backwards. */
export function cleanName(name: string): string {
  const last = name.split(/[\\/]/).at(-1) ?? "";
  let clean = last.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, "").trim();
  if (/^\.*$/.test(clean)) clean = "file";
  const [stem, ending] = splitName(clean);
  let short = stem;
  while (encoder.encode(short + ending).length > NAME_BYTES && short !== "") {
    short = [...short].slice(0, -1).join("");
  }
  return short === "" ? "file" : short + ending;
}

/** Whether a pasted file has no name of its own. */
export function isNameless(file: Pick<File, "name" | "type">): boolean {
  return file.type.startsWith("image/") && (file.name === "" || NAMELESS.test(file.name));
}

/** A name for a picture that was pasted at `when`, local time. */
export function pastedName(type: string, when: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = [when.getFullYear(), two(when.getMonth() + 1), two(when.getDate())].join("-");
  const time = [when.getHours(), when.getMinutes(), when.getSeconds()].map(two).join("");
  return `pasted-${date}-${time}${ENDINGS[type] ?? ".png"}`;
}

/** The name to try next where `name` is taken: `a.txt`, `a-2.txt`, `a-3.txt` … */
export function numberedName(name: string, number: number): string {
  if (number === 1) return name;
  const [stem, ending] = splitName(name);
  return `${stem}-${number}${ending}`;
}

/** Name and ending; a name that begins with a dot has none by that alone. */
function splitName(name: string): [string, string] {
  const [, stem, ending] = /^(.+?)((?:\.tar)?\.[^.\s]{1,16})$/.exec(name) ?? [];
  return stem === undefined || ending === undefined ? [name, ""] : [stem, ending];
}

/** Marks around a path in programs' output: quotes, brackets, and what ends a sentence. */
const AROUND = /^["'`(<[{]+|["'`)>\]},;]+$/g;

/** The path in selected text, without what surrounds it; null where it cannot be one. */
export function selectedPath(text: string): string | null {
  const line = text.trim();
  if (line === "" || /[\r\n]/.test(line) || line.length > 4096) return null;
  const path = line.replace(AROUND, "").replace(/(?::\d+){1,2}:?$/, "");
  return path === "" || /^\w+:\/\//.test(path) || path.endsWith("/") ? null : path;
}
