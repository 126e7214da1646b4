// The control plane does not answer: what it means, and the page again as soon as it does.

import { useCallback, useEffect, useState } from "react";
import { Brand } from "@/components/brand";
import { Button } from "@/components/ui/button";
import { useAuth } from "@/hooks/auth";

/** Milliseconds between two tries while the page is looked at. */
const RETRY_MS = 10_000;

export function UnreachablePage() {
  const { problem, refresh } = useAuth();
  const [busy, setBusy] = useState(false);
  const [offline, setOffline] = useState(!navigator.onLine);

  const retry = useCallback(async () => {
    setBusy(true);
    await refresh();
    setOffline(!navigator.onLine);
    setBusy(false);
  }, [refresh]);

  useEffect(() => {
    const look = () => document.visibilityState === "visible" && void retry();
    const timer = setInterval(look, RETRY_MS);
    window.addEventListener("online", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      window.removeEventListener("online", look);
      document.removeEventListener("visibilitychange", look);
    };
  }, [retry]);

  return (
    <main
      data-testid="unreachable"
      className="mx-auto grid min-h-dvh max-w-md content-center justify-items-start gap-4 px-6"
    >
      <Brand className="mb-4 text-lg" />
      <h1 className="text-2xl font-semibold tracking-tight">
        {offline ? "You are offline." : "The control plane does not answer."}
      </h1>
      <p className="leading-relaxed text-muted-foreground">
        {offline
          ? "Your sessions go on, on your servers. This page comes back by itself with the network."
          : `${problem ?? ""} Your sessions go on, on your servers. This page tries again by itself.`}
      </p>
      <Button variant="outline" disabled={busy} onClick={() => void retry()}>
        {busy ? "Trying…" : "Try again"}
      </Button>
    </main>
  );
}
