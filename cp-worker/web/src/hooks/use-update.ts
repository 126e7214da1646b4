// The newer gateway that the deployment offers, and how a server's update to it goes.

import { useEffect, useState } from "react";
import { useGatewayFeed } from "@/hooks/use-gateway-feed";
import { api, problemText, type Release, type Server } from "@/lib/api";
import { isNewer, versionBefore } from "@/lib/version";

/** Milliseconds after which an update that said nothing is no longer waited for. */
const PATIENCE_MS = 5 * 60_000;

export type UpdateState =
  | { state: "idle" | "running" }
  | { state: "done"; version: string }
  | { state: "failed"; message: string };

export interface Update {
  /** The version on offer; null when none is newer. */
  version: string | null;
  /** The version that must come before it; null when it can come at once. */
  first: string | null;
  progress: UpdateState;
  start(): Promise<void>;
}

const SILENT =
  "The gateway has not said how the update went. It goes back by itself when the new version does not work.";

export function useUpdate({ gateway_id, version, system_info }: Server): Update {
  const [release, setRelease] = useState<Release | null>(null);
  const [progress, setProgress] = useState<UpdateState>({ state: "idle" });
  const target = system_info?.target;
  useEffect(() => {
    // No release is no problem: there is nothing to offer then.
    api.release(target).then(setRelease, () => undefined);
  }, [target]);
  useGatewayFeed(gateway_id, {
    onReopen: () => undefined,
    onMessage: (message) => {
      if (message.type === "gateway.updated") {
        setProgress({ state: "done", version: message.version });
      } else if (message.type === "gateway.update_failed") {
        setProgress({ state: "failed", message: message.message });
      }
    },
  });
  const running = progress.state === "running";
  useEffect(() => {
    if (!running) return;
    const timer = setTimeout(() => setProgress({ state: "failed", message: SILENT }), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [running]);
  const start = async () => {
    if (release === null) return;
    setProgress({ state: "running" });
    try {
      await api.update(gateway_id, release);
    } catch (error) {
      setProgress({ state: "failed", message: problemText(error) });
    }
  };
  const offered = release !== null && isNewer(release.version, version);
  return {
    version: offered ? release.version : null,
    first: offered ? versionBefore(release.manifest, version) : null,
    progress,
    start,
  };
}
