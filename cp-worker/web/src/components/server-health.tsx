// A server's state in words, its machine in a line, and its three meters.

import { Meter } from "@/components/meter";
import { StatusDot } from "@/components/status-dot";
import { Badge, type BadgeTone } from "@/components/ui/badge";
import { formatAgo, formatBytes, percentOf } from "@/lib/format";
import type { Server } from "@/lib/api";

const STATUS: Record<Server["status"], { label: string; tone: BadgeTone }> = {
  online: { label: "Online", tone: "live" },
  offline: { label: "Offline", tone: "neutral" },
  pending: { label: "Waiting for its gateway", tone: "warning" },
};

export function ServerStatus({ server, now }: { server: Server; now: number }) {
  const { label, tone } = STATUS[server.status];
  const seen =
    server.status === "offline" && server.last_seen_at !== null
      ? `, seen ${formatAgo(server.last_seen_at, now)}`
      : "";
  return (
    <Badge tone={tone} data-testid="server-status" data-status={server.status}>
      <StatusDot tone={tone} pulse={server.status === "online"} />
      {label}
      {seen}
    </Badge>
  );
}

/** The machine in the words that its owner would use. */
export function MachineLine({ server }: { server: Server }) {
  const { hostname, system_info, version } = server;
  if (hostname === null) {
    return (
      <p className="mt-1.5 text-[13px] text-muted-foreground">
        Run the install command on the machine to connect it.
      </p>
    );
  }
  const facts = [hostname];
  if (system_info !== null) facts.push(`${system_info.os} ${system_info.arch}`);
  if (version !== null) facts.push(`gateway ${version}`);
  return (
    <p className="mt-1.5 truncate font-mono text-xs text-muted-foreground">{facts.join(" · ")}</p>
  );
}

export function ServerMeters({ server }: { server: Server }) {
  const { health } = server;
  const cpus = server.system_info?.cpus;
  const used = (part: number, whole: number) => `${formatBytes(part)} of ${formatBytes(whole)}`;
  return (
    <div className="grid grid-cols-3 gap-4 sm:gap-6">
      <Meter
        label="CPU"
        percent={health?.cpu_percent ?? null}
        detail={cpus === undefined ? undefined : `of ${cpus} processors`}
      />
      <Meter
        label="Memory"
        percent={health && percentOf(health.ram_used_bytes, health.ram_total_bytes)}
        detail={health ? used(health.ram_used_bytes, health.ram_total_bytes) : undefined}
      />
      <Meter
        label="Disk"
        percent={health && percentOf(health.disk_used_bytes, health.disk_total_bytes)}
        detail={health ? used(health.disk_used_bytes, health.disk_total_bytes) : undefined}
      />
    </div>
  );
}
