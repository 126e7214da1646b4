// What a person should know about a server now: not there yet, idle, printing without pause.

import { Cable, Clock, Flame, PowerOff, Unplug, X } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { ConnectDialog } from "@/components/connect-server";
import { PowerOffDialog } from "@/components/droplet-dialogs";
import { ConsoleLink, DropletPanel } from "@/components/droplet-panel";
import { showLine } from "@/components/server-menu";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import type { NewServer, Server, Session } from "@/lib/api";
import { formatDuration } from "@/lib/format";
import { keepRunning, keptRunning } from "@/lib/kept-running";

interface NoticeProps {
  server: Server;
  now: number;
  onChange(server: Server): void;
}

/** Those that stand on the server's card too. */
export function StateNotices({ server, now, onChange }: NoticeProps) {
  return (
    <>
      <DropletPanel server={server} onChange={onChange} />
      {server.droplet === null && server.status === "pending" && (
        <Awaited server={server} now={now} />
      )}
      {server.idle_since !== null && server.status === "online" && (
        <Idle server={server} since={server.idle_since} now={now} onChange={onChange} />
      )}
    </>
  );
}

/** Where to look when a gateway does not come back. */
export function OfflineNotice({ server }: { server: Server }) {
  return (
    <Notice
      icon={Unplug}
      title="The server is not connected"
      testId="offline-notice"
      actions={server.droplet && <ConsoleLink droplet={server.droplet} />}
    >
      Sessions on it go on if the machine runs. When it has power and a network, log in and run{" "}
      <code className="font-mono text-xs text-foreground">chatcode-gateway doctor</code>: it says
      what to do.
    </Notice>
  );
}

function Awaited({ server, now }: { server: Server; now: number }) {
  const [added, setAdded] = useState<NewServer | null>(null);
  const left = (server.bootstrap_expires_at ?? 0) - now;
  return (
    <>
      <Notice
        icon={Cable}
        tone="warning"
        title="Waiting for the machine"
        testId="awaited"
        actions={
          <Button
            size="small"
            variant="outline"
            data-testid="new-line"
            onClick={() => showLine(server.gateway_id, setAdded)}
          >
            Show a new install line
          </Button>
        }
      >
        {left > 0
          ? `Run its install line there. It works once, for ${formatDuration(left / 1000)} more; a new one replaces it.`
          : "Its install line has expired."}
      </Notice>
      <ConnectDialog added={added} server={server} onChange={setAdded} />
    </>
  );
}

function Idle({ server, since, now, onChange }: NoticeProps & { since: number }) {
  const [asking, setAsking] = useState(false);
  const [kept, setKept] = useState(() => keptRunning(server.gateway_id, since));
  const idleFor = formatDuration((now - since) / 1000);
  if (server.droplet === null) {
    return (
      <p data-testid="idle-notice" className="text-[13px] text-muted-foreground">
        Nothing has happened in its sessions for {idleFor}.
      </p>
    );
  }
  if (kept) return null;
  const keep = () => {
    keepRunning(server.gateway_id, since);
    setKept(true);
  };
  return (
    <>
      <Notice
        icon={Clock}
        title={`Nothing has happened here for ${idleFor}`}
        testId="idle-notice"
        actions={
          <>
            <Button
              size="small"
              variant="outline"
              data-testid="idle-power-off"
              onClick={() => setAsking(true)}
            >
              <PowerOff />
              Power off…
            </Button>
            <Button size="small" variant="ghost" data-testid="keep-running" onClick={keep}>
              Keep running
            </Button>
          </>
        }
      >
        Nothing is stopped by itself. Power it off if you do not need it now.
      </Notice>
      <PowerOffDialog server={server} open={asking} onOpenChange={setAsking} onChange={onChange} />
    </>
  );
}

interface RunawayProps {
  runaway: number[];
  sessions: Session[];
}

/** Sessions that print without pause; only told, never stopped. */
export function RunawayNotices({ runaway, sessions }: RunawayProps) {
  const [dismissed, setDismissed] = useState<number[]>([]);
  const shown = sessions.filter(
    ({ status, session_id }) =>
      status === "running" && runaway.includes(session_id) && !dismissed.includes(session_id),
  );
  return shown.map(({ gateway_id, session_id, name }) => (
    <Notice
      key={session_id}
      icon={Flame}
      tone="warning"
      title={`${name} prints without pause`}
      testId="runaway-notice"
      actions={
        <>
          <Button asChild size="small" variant="outline">
            <Link to={`/servers/${gateway_id}/sessions/${session_id}`}>Look at it</Link>
          </Button>
          <Button
            size="small"
            variant="ghost"
            aria-label={`Dismiss the notice about ${name}`}
            onClick={() => setDismissed((now) => [...now, session_id])}
          >
            <X />
          </Button>
        </>
      }
    >
      Nothing is muted and nothing is stopped. A program may be caught in a loop.
    </Notice>
  ));
}
