// Who is signed in, and what the deployment offers. Pages below may rely on a configuration.

import {
  createContext,
  use,
  useCallback,
  useEffect,
  useMemo,
  useState,
  type ReactNode,
} from "react";
import { ApiError, api, problemText, type Config, type User } from "@/lib/api";

interface Auth {
  config: Config | null;
  user: User | null;
  /** Whether the first look is still under way. */
  loading: boolean;
  /** Why the control plane could not be asked. */
  problem: string | null;
  /** Looks again: who is signed in may have changed, or the network is back. */
  refresh(): Promise<void>;
  /** The control plane has just signed us in. */
  enter(user: User): void;
  /** Signs out and begins anew on the first page. */
  signOut(): Promise<void>;
  /** The control plane no longer knows us. */
  forget(): void;
}

const AuthContext = createContext<Auth | null>(null);

async function look(): Promise<{ config: Config; user: User | null }> {
  const me = api.me().catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  });
  const [config, user] = await Promise.all([api.config(), me]);
  return { config, user };
}

export function AuthProvider({ children }: { children: ReactNode }) {
  const [config, setConfig] = useState<Config | null>(null);
  const [user, setUser] = useState<User | null>(null);
  const [loading, setLoading] = useState(true);
  const [problem, setProblem] = useState<string | null>(null);

  const refresh = useCallback(async () => {
    try {
      const { config, user } = await look();
      setConfig(config);
      setUser(user);
      setProblem(null);
    } catch (error) {
      setProblem(problemText(error));
    }
    setLoading(false);
  }, []);
  useEffect(() => void refresh(), [refresh]);

  const forget = useCallback(() => setUser(null), []);
  const signOut = useCallback(async () => {
    await api.signOut();
    // Nothing that was theirs stays in the memory of the page.
    window.location.assign("/");
  }, []);

  const auth = useMemo(
    () => ({ config, user, loading, problem, refresh, enter: setUser, signOut, forget }),
    [config, user, loading, problem, refresh, signOut, forget],
  );
  return <AuthContext value={auth}>{children}</AuthContext>;
}

export function useAuth(): Auth {
  const auth = use(AuthContext);
  if (auth === null) throw new Error("useAuth outside of AuthProvider");
  return auth;
}
