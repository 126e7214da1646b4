// A server's state in words, its machine in a line, its meters and its last day.

import { HistoryChart } from "@/components/history-chart";
import { Meter } from "@/components/meter";
import { StatusDot } from "@/components/status-dot";
import { Badge, type BadgeTone } from "@/components/ui/badge";
import { Skeleton } from "@/components/ui/skeleton";
import type { History, Server } from "@/lib/api";
import { formatAgo, formatBytes, percentOf } from "@/lib/format";
import type { Figure } from "@/lib/history";
import { serverState, type ServerState } from "@/lib/server-state";

const STATES: Record<ServerState, { label: string; tone: BadgeTone; pulse?: boolean }> = {
  online: { label: "Connected", tone: "live", pulse: true },
  reconnecting: { label: "Reconnecting", tone: "warning", pulse: true },
  offline: { label: "Offline", tone: "neutral" },
  pending: { label: "Waiting for its gateway", tone: "warning" },
  provisioning: { label: "Being created", tone: "warning", pulse: true },
  powering_off: { label: "Powering off", tone: "warning", pulse: true },
  powering_on: { label: "Powering on", tone: "warning", pulse: true },
  off: { label: "Powered off", tone: "neutral" },
  failed: { label: "Failed", tone: "danger" },
  timed_out: { label: "Timed out", tone: "danger" },
  destroying: { label: "Being destroyed", tone: "danger", pulse: true },
};

export function ServerStatus({ server, now }: { server: Server; now: number }) {
  const state = serverState(server, now);
  const { label, tone, pulse = false } = STATES[state];
  const seen =
    state === "offline" && server.last_seen_at !== null
      ? `, seen ${formatAgo(server.last_seen_at, now)}`
      : "";
  return (
    <Badge tone={tone} data-testid="server-status" data-status={state}>
      <StatusDot tone={tone} pulse={pulse} />
      {label}
      {seen}
    </Badge>
  );
}

/** The machine in the words that its owner would use; nothing while nothing is known. */
export function MachineLine({ server }: { server: Server }) {
  const { hostname, system_info, version, droplet } = server;
  const facts: string[] = [];
  if (hostname !== null) facts.push(hostname);
  if (system_info !== null) facts.push(`${system_info.os} ${system_info.arch}`);
  if (droplet !== null) facts.push(`${droplet.size} in ${droplet.region}`);
  if (droplet?.ip_address) facts.push(droplet.ip_address);
  if (version !== null) facts.push(`gateway ${version}`);
  if (facts.length === 0) return null;
  return (
    <p className="mt-1.5 font-mono text-xs leading-relaxed wrap-anywhere text-muted-foreground">
      {facts.join(" · ")}
    </p>
  );
}

interface Measured {
  label: string;
  figure: Figure;
  percent: number | null;
  detail: string | undefined;
}

function measured({ health, system_info }: Server): Measured[] {
  const used = (part: number, whole: number) => `${formatBytes(part)} of ${formatBytes(whole)}`;
  const cpus = system_info?.cpus;
  return [
    {
      label: "CPU",
      figure: "cpu_percent",
      percent: health?.cpu_percent ?? null,
      detail: cpus === undefined ? undefined : `of ${cpus} processors`,
    },
    {
      label: "Memory",
      figure: "ram_percent",
      percent: health && percentOf(health.ram_used_bytes, health.ram_total_bytes),
      detail: health ? used(health.ram_used_bytes, health.ram_total_bytes) : undefined,
    },
    {
      label: "Disk",
      figure: "disk_percent",
      percent: health && percentOf(health.disk_used_bytes, health.disk_total_bytes),
      detail: health ? used(health.disk_used_bytes, health.disk_total_bytes) : undefined,
    },
  ];
}

export function ServerMeters({ server }: { server: Server }) {
  return (
    <div className="grid grid-cols-3 gap-4 sm:gap-6">
      {measured(server).map(({ figure, ...meter }) => (
        <Meter key={figure} {...meter} />
      ))}
    </div>
  );
}

interface ServerChartsProps {
  server: Server;
  history: History | null;
  now: number;
}

/** The meters, each with its figures and its last day. */
export function ServerCharts({ server, history, now }: ServerChartsProps) {
  return (
    <div className="grid grid-cols-1 gap-6 sm:grid-cols-3">
      {measured(server).map(({ figure, ...meter }) => (
        <div key={figure} className="min-w-0">
          <Meter {...meter} />
          <p className="mt-1.5 min-h-4 text-xs text-muted-foreground">{meter.detail}</p>
          {history === null ? (
            <Skeleton className="mt-3 mb-5.5 h-12 rounded-xs" />
          ) : (
            <HistoryChart label={meter.label} history={history} figure={figure} now={now} />
          )}
        </div>
      ))}
    </div>
  );
}
