// The touch key bar's keys and modifiers, as the bytes that a keyboard would have made.

export type BarKey = "escape" | "tab" | keyof typeof CURSOR | keyof typeof NUMBERED | FunctionKey;

/** Keys whose bytes depend on the cursor mode, by the letter that they end with. */
const CURSOR = { up: "A", down: "B", right: "C", left: "D", end: "F", home: "H" } as const;

/** Keys that are a number before a tilde. */
const NUMBERED = { insert: 2, delete: 3, page_up: 5, page_down: 6 } as const;

type FunctionKey = `f${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12}`;

/** F5 to F12 as numbers; there are gaps since the first terminals that had them. */
const FUNCTION_NUMBERS = [15, 17, 18, 19, 20, 21, 23, 24];

export interface Modifiers {
  ctrl: boolean;
  alt: boolean;
  shift: boolean;
}

export const NO_MODIFIERS: Modifiers = { ctrl: false, alt: false, shift: false };

/** A modifier of the bar: for the next key, or until it is pressed again. */
export type Latch = "off" | "once" | "locked";

/** What one more press makes of a latch. */
export function press(latch: Latch): Latch {
  return latch === "off" ? "once" : latch === "once" ? "locked" : "off";
}

/** What a key makes of a latch. */
export function release(latch: Latch): Latch {
  return latch === "locked" ? "locked" : "off";
}

/** @param applicationCursor whether the program asked for it (DECCKM) */
export function keySequence(key: BarKey, modifiers: Modifiers, applicationCursor: boolean): string {
  if (key === "escape") return modifiers.alt ? "\x1b\x1b" : "\x1b";
  if (key === "tab") {
    const tab = modifiers.shift ? "\x1b[Z" : "\t";
    return modifiers.alt ? `\x1b${tab}` : tab;
  }
  const code = 1 + (modifiers.shift ? 1 : 0) + (modifiers.alt ? 2 : 0) + (modifiers.ctrl ? 4 : 0);
  if (key in CURSOR) {
    const letter = CURSOR[key as keyof typeof CURSOR];
    return withLetter(letter, code, applicationCursor ? "O" : "[");
  }
  const number = NUMBERED[key as keyof typeof NUMBERED] as number | undefined;
  if (number !== undefined) return withNumber(number, code);
  const which = Number(key.slice(1));
  if (which <= 4) return withLetter("PQRS".charAt(which - 1), code, "O");
  return withNumber(FUNCTION_NUMBERS[which - 5] ?? 0, code);
}

function withLetter(letter: string, code: number, plain: "O" | "["): string {
  return code > 1 ? `\x1b[1;${code}${letter}` : `\x1b${plain}${letter}`;
}

function withNumber(number: number, code: number): string {
  return code > 1 ? `\x1b[${number};${code}~` : `\x1b[${number}~`;
}

/** Typed text with the bar's modifiers. Only a single character can be held with Ctrl. */
export function modifyText(text: string, { ctrl, alt }: Modifiers): string {
  const held = ctrl && text.length === 1 ? controlCharacter(text) : text;
  return alt ? `\x1b${held}` : held;
}

/** Ctrl and a character: @ to _ and ? as on every terminal, the rest unchanged. */
function controlCharacter(character: string): string {
  if (character === "?") return "\x7f";
  if (character === " ") return "\0";
  const code = character.toUpperCase().charCodeAt(0);
  return code >= 0x40 && code <= 0x5f ? String.fromCharCode(code - 0x40) : character;
}
