// The coding agents of a server: which are there, and installing those that are not.

import { Download } from "lucide-react";
import { AGENTS, AgentMark } from "@/components/agent";
import { Problem } from "@/components/dialog-form";
import { Quiet } from "@/components/keys";
import { Section } from "@/components/section";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { Spinner } from "@/components/ui/notice";
import { useAgents, type LiveAgents } from "@/hooks/use-agents";
import type { InstalledAgent, Server } from "@/lib/api";

export function AgentsSection({ server }: { server: Server }) {
  const online = server.status === "online";
  const agents = useAgents(server.gateway_id, online);
  return (
    <Section title="Agents">
      {agents.list === null ? (
        <NotListed agents={agents} online={online} />
      ) : (
        <ul className="grid gap-3 sm:grid-cols-2">
          {agents.list.map((one) => (
            <AgentCard key={one.agent} one={one} agents={agents} online={online} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function NotListed({ agents, online }: { agents: LiveAgents; online: boolean }) {
  if (!online) return <Quiet>Its agents are shown when the server is connected.</Quiet>;
  if (agents.problem === null) return <Skeleton className="h-20 rounded-xl" />;
  return (
    <div className="grid justify-items-start gap-3">
      <Problem text={agents.problem} />
      <Button size="small" variant="outline" onClick={agents.reload}>
        Try again
      </Button>
    </div>
  );
}

interface AgentCardProps {
  one: InstalledAgent;
  agents: LiveAgents;
  online: boolean;
}

function AgentCard({ one, agents, online }: AgentCardProps) {
  const { agent, installed, version } = one;
  const { label } = AGENTS[agent];
  const install = agents.installs[agent];
  const running = install?.state === "running";
  return (
    <li
      data-testid="agent-card"
      data-agent={agent}
      data-installed={installed}
      className="flex min-w-0 items-start gap-3.5 rounded-xl border bg-surface p-4"
    >
      <AgentMark agent={agent} className={installed ? "" : "text-muted-foreground"} />
      <div className="min-w-0 flex-1 self-center">
        <p className="text-sm font-medium">{label}</p>
        <p
          role="status"
          className="mt-0.5 flex min-w-0 items-center gap-1.5 text-xs text-muted-foreground"
        >
          {running && <Spinner aria-hidden className="size-3.5 shrink-0" />}
          <span className="line-clamp-2 min-w-0 wrap-anywhere">
            {running ? install.message : installed ? (version ?? "Installed") : "Not installed"}
          </span>
        </p>
        {install?.state === "failed" && <InstallFailed message={install.message} />}
      </div>
      {!installed && !running && (
        <Button
          size="small"
          variant="outline"
          disabled={!online}
          aria-label={`Install ${label}`}
          data-testid="install-agent"
          onClick={() => void agents.install(agent)}
        >
          <Download />
          {install === undefined ? "Install" : "Try again"}
        </Button>
      )}
    </li>
  );
}

/** An installer's last lines, as it printed them. */
export function InstallFailed({ message }: { message: string }) {
  return (
    <div role="alert" data-testid="install-failed" className="mt-2 text-xs text-danger">
      The installation failed.
      <pre className="mt-1 max-h-32 overflow-auto font-mono text-[11px] wrap-anywhere whitespace-pre-wrap">
        {message}
      </pre>
    </div>
  );
}
