// The terminal's colours, one set for light pages and one for dark ones.

import type { ITheme } from "@xterm/xterm";

const light: ITheme = {
  background: "#fbfdfb",
  foreground: "#1b2621",
  cursor: "#178a55",
  cursorAccent: "#fbfdfb",
  selectionBackground: "#b9e3cb",
  selectionInactiveBackground: "#f4c44f",
  black: "#1b2621",
  red: "#b3261e",
  green: "#1a7f4b",
  yellow: "#8a5a00",
  blue: "#1f5fbf",
  magenta: "#8b3fa8",
  cyan: "#0f7480",
  white: "#6b7771",
  brightBlack: "#5c6963",
  brightRed: "#cf3a30",
  brightGreen: "#16895a",
  brightYellow: "#9a6700",
  brightBlue: "#2f72d8",
  brightMagenta: "#a04fbf",
  brightCyan: "#12838f",
  brightWhite: "#36423c",
};

const dark: ITheme = {
  background: "#0c120f",
  foreground: "#dde6e0",
  cursor: "#5fd38a",
  cursorAccent: "#0c120f",
  selectionBackground: "#2c5a43",
  selectionInactiveBackground: "#8f6a12",
  black: "#1d2622",
  red: "#f2766b",
  green: "#6bd08f",
  yellow: "#e3b859",
  blue: "#7aadf5",
  magenta: "#d092e6",
  cyan: "#5fc9cf",
  white: "#c3cec8",
  brightBlack: "#77857e",
  brightRed: "#ff9187",
  brightGreen: "#8be6aa",
  brightYellow: "#f2cd7c",
  brightBlue: "#9dc4ff",
  brightMagenta: "#e2b1f2",
  brightCyan: "#84e0e5",
  brightWhite: "#f2f7f4",
};

/** For bad light and tired eyes: everything as far from its ground as it gets. */
const contrast: ITheme = {
  ...dark,
  background: "#000000",
  foreground: "#ffffff",
  cursor: "#ffff00",
  cursorAccent: "#000000",
  selectionBackground: "#0059b3",
  black: "#000000",
  brightBlack: "#a6a6a6",
  white: "#ffffff",
  brightWhite: "#ffffff",
};

/** Warm, with little blue. */
const amber: ITheme = {
  ...dark,
  background: "#16110a",
  foreground: "#eadbc0",
  cursor: "#f0b455",
  cursorAccent: "#16110a",
  selectionBackground: "#5a4420",
  black: "#251d12",
  brightBlack: "#93825f",
  white: "#d3c4a8",
  brightWhite: "#fbf1dc",
  blue: "#93b0d6",
  brightBlue: "#b3cbea",
};

interface TerminalTheme {
  /** What people choose it by. */
  label: string;
  colors: ITheme;
  /** Which of the pages it belongs to; also decides the marks of search hits. */
  tone: "light" | "dark";
  /** Lowest contrast of text: AA for small text on light ground, where programs expect dark. */
  contrast: number;
}

const THEMES = {
  light: { label: "Light", colors: light, tone: "light", contrast: 4.5 },
  dark: { label: "Dark", colors: dark, tone: "dark", contrast: 3 },
  amber: { label: "Amber", colors: amber, tone: "dark", contrast: 3 },
  contrast: { label: "High contrast", colors: contrast, tone: "dark", contrast: 7 },
} as const satisfies Record<string, TerminalTheme>;

export const TERMINAL_THEMES: Readonly<Record<string, TerminalTheme>> = THEMES;

/** Follows the app. */
export const AUTO_THEME = "auto";

/** Themes of the terminal with what people choose them by. */
export const TERMINAL_THEME_NAMES: readonly { name: string; label: string }[] = [
  { name: AUTO_THEME, label: "Like the app" },
  ...Object.entries(THEMES).map(([name, { label }]) => ({ name, label })),
];

/** The theme of this name; unknown ones, and "auto", are the app's. */
export function terminalTheme(name: string, app: "light" | "dark"): TerminalTheme {
  return Object.hasOwn(TERMINAL_THEMES, name)
    ? (TERMINAL_THEMES[name] ?? THEMES[app])
    : THEMES[app];
}

/** Marks of search hits. The one that was found last is also selected, in the same colour. */
export const SEARCH_MARKS = {
  light: {
    matchBackground: "#f6e8bd",
    matchOverviewRuler: "#c99a2e",
    activeMatchBackground: "#f4c44f",
    activeMatchColorOverviewRuler: "#a06a00",
  },
  dark: {
    matchBackground: "#4a3d16",
    matchOverviewRuler: "#8a6d1f",
    activeMatchBackground: "#8f6a12",
    activeMatchColorOverviewRuler: "#d18f00",
  },
};
