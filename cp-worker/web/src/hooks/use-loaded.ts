// What a page fetches once, with its failure and another try.

import { useCallback, useEffect, useState } from "react";
import { useAuth } from "@/hooks/auth";
import { ApiError, problemText } from "@/lib/api";

export interface Loaded<Value> {
  /** Null until it is there. */
  value: Value | null;
  /** Why it is not, or why it could not be fetched again. */
  problem: string | null;
  reload(): Promise<void>;
}

/**
 * Fetches something now, and again on `reload`. Whoever is no longer signed in is led to sign in.
 *
 * @param fetchIt must be the same function as long as the same thing is meant
 */
export function useLoaded<Value>(fetchIt: () => Promise<Value>): Loaded<Value> {
  const { forget } = useAuth();
  const [value, setValue] = useState<Value | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const reload = useCallback(async () => {
    try {
      setValue(await fetchIt());
      setProblem(null);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) forget();
      else setProblem(problemText(error));
    }
  }, [fetchIt, forget]);
  useEffect(() => void reload(), [reload]);
  return { value, problem, reload };
}
