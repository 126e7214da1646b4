// The agents of a server, and what becomes of their installations.

import { useCallback, useEffect, useState } from "react";
import { useGatewayFeed } from "@/hooks/use-gateway-feed";
import { NO_AGENTS, applyToAgents, withInstall, type Agents } from "@/lib/agent-installs";
import { api, problemText, type InstallableAgent } from "@/lib/api";

export interface LiveAgents extends Agents {
  /** Why they could not be fetched. */
  problem: string | null;
  reload(): void;
  install(agent: InstallableAgent): Promise<void>;
}

/** @param online whether the gateway can be asked now */
export function useAgents(gatewayId: string, online: boolean): LiveAgents {
  const [agents, setAgents] = useState<Agents>(NO_AGENTS);
  const [problem, setProblem] = useState<string | null>(null);
  const reload = useCallback(() => {
    api.agents(gatewayId).then(
      (list) => {
        setAgents((now) => ({ ...now, list }));
        setProblem(null);
      },
      (error: unknown) => setProblem(problemText(error)),
    );
  }, [gatewayId]);
  useEffect(() => {
    if (online) reload();
  }, [online, reload]);
  useGatewayFeed(gatewayId, {
    onReopen: () => undefined,
    onMessage: (message) => setAgents((now) => applyToAgents(now, message)),
  });
  const install = async (agent: InstallableAgent) => {
    setAgents((now) => withInstall(now, agent, { state: "running", message: "Starting…" }));
    try {
      await api.installAgent(gatewayId, agent);
    } catch (error) {
      const message = problemText(error);
      setAgents((now) => withInstall(now, agent, { state: "failed", message }));
    }
  };
  return { ...agents, problem, reload, install };
}
