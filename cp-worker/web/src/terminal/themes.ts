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

export const TERMINAL_THEMES = { light, dark };

/** Lowest contrast of text: AA for small text on light pages, where programs expect dark ones. */
export const MINIMUM_CONTRAST = { light: 4.5, dark: 3 };

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
