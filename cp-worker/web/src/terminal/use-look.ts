// How this browser's terminals look: the preferences, the app's theme, and steps of the text's size.

import { useRef } from "react";
import { usePreferences } from "@/hooks/preferences";
import { useTheme } from "@/hooks/theme";
import { FONT_SIZES } from "@/lib/preferences";
import type { Surface, SurfaceLook } from "./surface";
import { terminalTheme } from "./themes";

export type SizeStep = "larger" | "smaller" | "usual_size";

export function useLook() {
  const [{ fontSize, terminalTheme: theme, screenReader, copyOnSelect }, change] = usePreferences();
  const { shown: appTheme } = useTheme();
  const look: SurfaceLook = { fontSize, theme, appTheme, screenReader };
  /** The size when two fingers came down. */
  const pinched = useRef<number | null>(null);

  const choose = (size: number) => {
    const rounded = Math.min(FONT_SIZES.most, Math.max(FONT_SIZES.least, Math.round(size)));
    if (rounded !== fontSize) change({ fontSize: rounded });
  };
  return {
    look,
    copyOnSelect,
    tone: terminalTheme(theme, appTheme).tone,
    step: (step: SizeStep, surface: Surface) => {
      if (step === "usual_size") change({ fontSize: null });
      else choose(surface.usualFontSize() + (step === "larger" ? 1 : -1));
    },
    pinch: (scale: number, surface: Surface) => {
      pinched.current ??= surface.usualFontSize();
      choose(pinched.current * scale);
    },
    endPinch: () => {
      pinched.current = null;
    },
  };
}
