// Who is signed in. Pages below may rely on a user; without one the sign-in page is shown.

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
  signIn(email: string): Promise<void>;
  signOut(): Promise<void>;
  /** The control plane no longer knows us. */
  forget(): void;
}

const AuthContext = createContext<Auth | null>(null);

export function AuthProvider({ children }: { children: ReactNode }) {
  const [config, setConfig] = useState<Config | null>(null);
  const [user, setUser] = useState<User | null>(null);
  const [loading, setLoading] = useState(true);
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    const me = api.me().catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    });
    Promise.all([api.config(), me])
      .then(([config, user]) => {
        setConfig(config);
        setUser(user);
      })
      .catch((error: unknown) => setProblem(problemText(error)))
      .finally(() => setLoading(false));
  }, []);

  const signIn = useCallback(async (email: string) => setUser(await api.signInDev(email)), []);
  const forget = useCallback(() => setUser(null), []);
  const signOut = useCallback(async () => {
    await api.signOut();
    setUser(null);
  }, []);

  const auth = useMemo(
    () => ({ config, user, loading, problem, signIn, signOut, forget }),
    [config, user, loading, problem, signIn, signOut, forget],
  );
  return <AuthContext value={auth}>{children}</AuthContext>;
}

export function useAuth(): Auth {
  const auth = use(AuthContext);
  if (auth === null) throw new Error("useAuth outside of AuthProvider");
  return auth;
}
