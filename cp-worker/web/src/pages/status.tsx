// Whether the deployment works, and one's own servers: for everybody, signed in or not.

import { useCallback, useState } from "react";
import { Link } from "react-router";
import { Page, PageTitle } from "@/components/page";
import { Section } from "@/components/section";
import { ServerStatus } from "@/components/server-health";
import { StatusDot } from "@/components/status-dot";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Row, Rows } from "@/components/ui/rows";
import { useAuth } from "@/hooks/auth";
import { useLoaded } from "@/hooks/use-loaded";
import { useNow } from "@/hooks/use-now";
import { usePageTitle } from "@/hooks/use-page-title";
import { api } from "@/lib/api";

type State = "ok" | "failing" | "unknown";

const STATES = {
  ok: { tone: "live", label: "Working" },
  failing: { tone: "danger", label: "Failing" },
  unknown: { tone: "neutral", label: "Not known" },
} as const;

export default function StatusPage() {
  const { user } = useAuth();
  usePageTitle("Status", 0);
  const look = useCallback(async () => ({ ...(await api.status()), at: Date.now() }), []);
  const { value, problem, reload } = useLoaded(look);
  const [busy, setBusy] = useState(false);
  const again = async () => {
    setBusy(true);
    await reload();
    setBusy(false);
  };
  const known = problem === null ? value : null;
  const reachable: State = problem !== null ? "failing" : value === null ? "unknown" : "ok";
  const parts: { id: string; title: string; detail: string; state: State }[] = [
    {
      id: "control-plane",
      title: "Control plane",
      detail: problem ?? "Answers requests and relays terminals.",
      state: reachable,
    },
    {
      id: "database",
      title: "Database",
      detail: "Accounts, servers and the names of sessions.",
      state: known?.database ?? "unknown",
    },
    {
      id: "store",
      title: "Key store",
      detail: "Links to sign in, and the limits that protect them.",
      state: known?.store ?? "unknown",
    },
  ];
  const at = value === null ? "" : `Looked at ${new Date(value.at).toLocaleTimeString()}.`;
  return (
    <Page>
      <PageTitle>Status</PageTitle>
      <Section
        title="This deployment"
        description={value === null ? "Looking…" : `Version ${value.version}. ${at}`}
        action={
          <Button variant="outline" size="small" disabled={busy} onClick={() => void again()}>
            {busy ? "Looking…" : "Look again"}
          </Button>
        }
      >
        <Rows>
          {parts.map(({ id, title, detail, state }) => (
            <Row key={id} title={title} detail={detail}>
              <Badge
                role="status"
                tone={STATES[state].tone}
                data-testid={`status-${id}`}
                data-state={state}
              >
                <StatusDot tone={STATES[state].tone} />
                {STATES[state].label}
              </Badge>
            </Row>
          ))}
        </Rows>
      </Section>
      {user !== null && <OwnServers />}
    </Page>
  );
}

function OwnServers() {
  const { value: servers, problem } = useLoaded(api.servers);
  const now = useNow();
  return (
    <Section
      title="Your servers"
      description="A server that is offline here may be well: only its connection to us is seen."
    >
      <Rows>
        {servers === null && <Row title={problem ?? "Looking…"} />}
        {servers?.length === 0 && <Row title="You have none yet." />}
        {servers?.map((server) => (
          <Row
            key={server.gateway_id}
            title={
              <Link
                to={`/servers/${server.gateway_id}`}
                className="rounded-xs underline-offset-3 hover:underline"
              >
                {server.name}
              </Link>
            }
            detail={server.version === null ? undefined : `Gateway ${server.version}`}
          >
            <ServerStatus server={server} now={now} />
          </Row>
        ))}
      </Rows>
    </Section>
  );
}
