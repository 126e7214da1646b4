// The preferences of this browser in a component, live.

import { useSyncExternalStore } from "react";
import { preferences, type Preferences } from "@/lib/preferences";

/** The preferences, and how to change some of them. */
export function usePreferences(): [Preferences, (changes: Partial<Preferences>) => void] {
  const current = useSyncExternalStore(preferences.subscribe, preferences.get);
  return [current, preferences.set];
}
