// What a person has chosen for this browser: how things look and behave, kept in localStorage.
//
// One JSON object under one key. What cannot be read is its default, and what this version does not
// know is kept for the one that does.

export type ThemeChoice = "light" | "dark" | "system";

export interface Preferences {
  /** Of the whole app. */
  theme: ThemeChoice;
  /** Of the terminal, in CSS pixels; null: what suits the window. */
  fontSize: number | null;
  /** Whether selected text in the terminal is copied at once. */
  copyOnSelect: boolean;
  /** Colours of the terminal by their name; "auto" follows the app. */
  terminalTheme: string;
  /** Whether the terminal also keeps its text for screen readers. */
  screenReader: boolean;
}

/** Smallest and largest font size that can be chosen, in CSS pixels. */
export const FONT_SIZES = { least: 8, most: 32 };

/** Raised when a field changes its meaning; a new field does not need it. */
const VERSION = 1;
const KEY = "chatcode.preferences";
/** Where the theme alone was kept once. */
const OLD_THEME_KEY = "chatcode.theme";
/** Longest name of a set of colours. */
const NAME_CHARS = 64;

export const DEFAULTS: Readonly<Preferences> = {
  theme: "system",
  fontSize: null,
  copyOnSelect: false,
  terminalTheme: "auto",
  screenReader: false,
};

const isBoolean = (value: unknown) => typeof value === "boolean";

/** What may stand in each field. */
const VALID: { [Field in keyof Preferences]: (value: unknown) => boolean } = {
  theme: (value) => value === "light" || value === "dark" || value === "system",
  fontSize: (value) =>
    value === null ||
    (typeof value === "number" && value >= FONT_SIZES.least && value <= FONT_SIZES.most),
  copyOnSelect: isBoolean,
  terminalTheme: (value) =>
    typeof value === "string" && value.length >= 1 && value.length <= NAME_CHARS,
  screenReader: isBoolean,
};

type Stored = Record<string, unknown>;

/** The object in a stored text; empty when there is none. */
function parse(text: string | null): Stored {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Stored)
      : {};
  } catch {
    return {};
  }
}

/** The preferences in a stored object, each by itself: one bad field spoils no other. */
export function readPreferences(stored: Stored): Preferences {
  const read = { ...DEFAULTS } as Stored;
  for (const [field, valid] of Object.entries(VALID)) {
    if (field in stored && valid(stored[field])) read[field] = stored[field];
  }
  return read as unknown as Preferences;
}

/** Where texts are kept; `localStorage`, or a stand-in. */
export type TextStore = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export class PreferenceStore {
  private stored: Stored;
  private current: Preferences;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly texts: TextStore | null) {
    this.stored = this.load();
    this.current = readPreferences(this.stored);
  }

  /** The same object until something changes. */
  readonly get = (): Preferences => this.current;

  /** Changes some fields; what may not stand there changes nothing. */
  readonly set = (changes: Partial<Preferences>): void => {
    for (const [field, value] of Object.entries(changes)) {
      if (VALID[field as keyof Preferences](value)) this.stored[field] = value;
    }
    this.update();
    try {
      this.texts?.setItem(KEY, JSON.stringify({ ...this.stored, version: VERSION }));
      this.texts?.removeItem(OLD_THEME_KEY);
    } catch {
      // No room, or not allowed: the choice holds until the page is closed.
    }
  };

  /** Calls `listener` after each change, also of another tab; returns how to stop. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  /** Another tab has written. */
  reload(key: string | null): void {
    if (key !== null && key !== KEY) return;
    this.stored = this.load();
    this.update();
  }

  private load(): Stored {
    try {
      const stored = parse(this.texts?.getItem(KEY) ?? null);
      const theme = this.texts?.getItem(OLD_THEME_KEY);
      return theme === null || theme === undefined ? stored : { theme, ...stored };
    } catch {
      return {};
    }
  }

  private update(): void {
    this.current = readPreferences(this.stored);
    for (const listener of [...this.listeners]) listener();
  }
}

function browserStore(): TextStore | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

/** Those of this browser. */
export const preferences = new PreferenceStore(browserStore());

globalThis.addEventListener?.("storage", (event) =>
  preferences.reload((event as StorageEvent).key),
);
