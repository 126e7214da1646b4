// Light, dark, or as the system says; remembered in this browser.

import { createContext, use, useEffect, useMemo, useState, type ReactNode } from "react";
import { usePreferences } from "@/hooks/preferences";
import type { ThemeChoice } from "@/lib/preferences";

export type { ThemeChoice } from "@/lib/preferences";

interface Theme {
  choice: ThemeChoice;
  /** What the choice comes to now. */
  shown: "light" | "dark";
  choose(choice: ThemeChoice): void;
}

const ThemeContext = createContext<Theme | null>(null);

function useSystemDark(): boolean {
  const [query] = useState(() => matchMedia("(prefers-color-scheme: dark)"));
  const [dark, setDark] = useState(query.matches);
  useEffect(() => {
    const update = () => setDark(query.matches);
    query.addEventListener("change", update);
    return () => query.removeEventListener("change", update);
  }, [query]);
  return dark;
}

export function ThemeProvider({ children }: { children: ReactNode }) {
  const [{ theme: choice }, change] = usePreferences();
  const systemDark = useSystemDark();
  const shown = choice === "system" ? (systemDark ? "dark" : "light") : choice;

  useEffect(() => {
    // The style sheet follows the system by itself; the attribute only overrules it. Before the app
    // runs, `theme.js` has done the same.
    if (choice === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
  }, [choice]);

  const theme = useMemo(
    () => ({ choice, shown, choose: (theme: ThemeChoice) => change({ theme }) }),
    [choice, shown, change],
  );
  return <ThemeContext value={theme}>{children}</ThemeContext>;
}

export function useTheme(): Theme {
  const theme = use(ThemeContext);
  if (theme === null) throw new Error("useTheme outside of ThemeProvider");
  return theme;
}
