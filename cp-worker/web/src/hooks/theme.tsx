// Light, dark, or as the system says; remembered in this browser.

import { createContext, use, useEffect, useMemo, useState, type ReactNode } from "react";

export type ThemeChoice = "light" | "dark" | "system";

interface Theme {
  choice: ThemeChoice;
  /** What the choice comes to now. */
  shown: "light" | "dark";
  choose(choice: ThemeChoice): void;
}

const STORAGE_KEY = "chatcode.theme";
const ThemeContext = createContext<Theme | null>(null);

function storedChoice(): ThemeChoice {
  const stored = localStorage.getItem(STORAGE_KEY);
  return stored === "light" || stored === "dark" ? stored : "system";
}

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
  const [choice, setChoice] = useState(storedChoice);
  const systemDark = useSystemDark();
  const shown = choice === "system" ? (systemDark ? "dark" : "light") : choice;

  useEffect(() => {
    // The style sheet follows the system by itself; the attribute only overrules it.
    if (choice === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    localStorage.setItem(STORAGE_KEY, choice);
  }, [choice]);

  const theme = useMemo(() => ({ choice, shown, choose: setChoice }), [choice, shown]);
  return <ThemeContext value={theme}>{children}</ThemeContext>;
}

export function useTheme(): Theme {
  const theme = use(ThemeContext);
  if (theme === null) throw new Error("useTheme outside of ThemeProvider");
  return theme;
}
