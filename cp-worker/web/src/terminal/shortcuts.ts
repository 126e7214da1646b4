// The terminal page's keys: one table for the handler and for the sheet that explains them.
//
// Every key that a program in a terminal could want is the program's. So ours are Ctrl (or Cmd) with
// Shift and a letter, for which terminals have no bytes, and the browser's own keys for text size.

export type ShortcutAction =
  | "copy"
  | "select_all"
  | "find"
  | "upload"
  | "download"
  | "larger"
  | "smaller"
  | "usual_size"
  | "switch"
  | "leave"
  | "help";

/** The part of a keyboard event that tells which keys are pressed. */
export type Keys = Pick<
  KeyboardEvent,
  "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey"
>;

export interface Shortcut {
  /** In words of keyboards; `Mod` is Ctrl, or Cmd where there is such a key. */
  keys: string;
  does: string;
  /** What the page does; the rest is done by the terminal and by the browser. */
  action?: ShortcutAction;
  /** Whether these keys are pressed, Mod aside. */
  matches?(keys: Keys): boolean;
}

export interface ShortcutGroup {
  title: string;
  shortcuts: Shortcut[];
}

const withShift = (code: string) => (keys: Keys) => keys.shiftKey && keys.code === code;

export const SHORTCUTS: ShortcutGroup[] = [
  {
    title: "Text",
    shortcuts: [
      { keys: "Mod Shift C", does: "Copy what is selected", action: "copy", matches: withShift("KeyC") },
      { keys: "Mod Shift V", does: "Paste: text, files and pictures" },
      { keys: "Mod Shift A", does: "Select all", action: "select_all", matches: withShift("KeyA") },
      { keys: "Mod Shift F", does: "Find on the screen and above it", action: "find", matches: withShift("KeyF") },
      { keys: "Shift drag", does: "Select where a program uses the mouse" },
      { keys: "Mod click", does: "Open a link" },
    ],
  },
  {
    title: "View",
    shortcuts: [
      // Ctrl with "_" is a program's (undo), so the keys are told by what they print.
      { keys: "Mod +", does: "Larger text", action: "larger", matches: ({ key }) => key === "+" || key === "=" },
      { keys: "Mod -", does: "Smaller text", action: "smaller", matches: ({ key }) => key === "-" },
      { keys: "Mod 0", does: "Text in its usual size", action: "usual_size", matches: ({ key, shiftKey }) => key === "0" && !shiftKey },
      { keys: "Shift PgUp", does: "Scroll up, or down with PgDn" },
    ],
  },
  {
    title: "Session",
    shortcuts: [
      { keys: "Shift Enter", does: "A new line in an agent's prompt" },
      { keys: "Mod Shift U", does: "Upload files into its folder", action: "upload", matches: withShift("KeyU") },
      { keys: "Mod Shift D", does: "Download a file, by the path that is selected", action: "download", matches: withShift("KeyD") },
      { keys: "Mod Shift S", does: "Switch to another session", action: "switch", matches: withShift("KeyS") },
    ],
  },
  {
    title: "Keyboard",
    shortcuts: [
      { keys: "Mod Shift E", does: "Leave the terminal, so that Tab moves through the page", action: "leave", matches: withShift("KeyE") },
      { keys: "Mod Shift ?", does: "Show these keys", action: "help", matches: (keys) => keys.shiftKey && (keys.key === "?" || keys.code === "Slash") },
    ],
  },
];

/** What the page has to do about these keys; null where they are the program's. */
export function shortcutOf(keys: Keys): ShortcutAction | null {
  if (keys.altKey || !(keys.ctrlKey || keys.metaKey)) return null;
  for (const { shortcuts } of SHORTCUTS) {
    const found = shortcuts.find(({ matches }) => matches?.(keys));
    if (found?.action !== undefined) return found.action;
  }
  return null;
}

/** The keys of an action as keyboards of this kind name them. */
export function keysOf(action: ShortcutAction, isMac: boolean): string {
  const all = SHORTCUTS.flatMap(({ shortcuts }) => shortcuts);
  return nameKeys(all.find((shortcut) => shortcut.action === action)?.keys ?? "", isMac);
}

/** `Mod` by its name. */
export function nameKeys(keys: string, isMac: boolean): string {
  return keys.replace("Mod", isMac ? "Cmd" : "Ctrl");
}

/** Whether this browser runs where Cmd takes Ctrl's place. */
export function isMac(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.platform);
}
