// The touch key bar's keys and modifiers, as the bytes that a keyboard would have made.

export type BarKey = "escape" | "tab" | "up" | "down" | "left" | "right";

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

const ARROWS = { up: "A", down: "B", right: "C", left: "D" } as const;

/** @param applicationCursor whether the program asked for it (DECCKM) */
export function keySequence(key: BarKey, modifiers: Modifiers, applicationCursor: boolean): string {
  if (key === "escape") return modifiers.alt ? "\x1b\x1b" : "\x1b";
  if (key === "tab") {
    const tab = modifiers.shift ? "\x1b[Z" : "\t";
    return modifiers.alt ? `\x1b${tab}` : tab;
  }
  const code = 1 + (modifiers.shift ? 1 : 0) + (modifiers.alt ? 2 : 0) + (modifiers.ctrl ? 4 : 0);
  if (code > 1) return `\x1b[1;${code}${ARROWS[key]}`;
  return `\x1b${applicationCursor ? "O" : "["}${ARROWS[key]}`;
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
