// The connection to DigitalOcean: whether there is one, and how to get or end it.

import { useEffect, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { toast } from "sonner";
import { Section } from "@/components/section";
import { LoadingRow } from "@/components/settings/loading-row";
import { StatusDot } from "@/components/status-dot";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Row, Rows } from "@/components/ui/rows";
import { useLoaded } from "@/hooks/use-loaded";
import { api, type CloudConnection } from "@/lib/api";
import { cloudProblem } from "@/lib/cloud-problem";
import { formatDate } from "@/lib/format";

/** Says once how coming back from DigitalOcean went, and clears it from the address. */
function useOutcome(): void {
  const [parameters, setParameters] = useSearchParams();
  const outcome = parameters.get("cloud");
  useEffect(() => {
    if (outcome === null) return;
    if (outcome === "connected") toast.success("DigitalOcean is connected.", { id: "cloud" });
    else toast.error(cloudProblem(outcome), { id: "cloud", duration: 12_000 });
    setParameters(
      (now) => {
        now.delete("cloud");
        return now;
      },
      { replace: true },
    );
  }, [outcome, setParameters]);
}

export function CloudSection() {
  useOutcome();
  const { value, problem, reload } = useLoaded(loadConnection);
  return (
    <Section
      title="DigitalOcean"
      description="With your account there, servers are made and destroyed from here. They are yours and on your bill; the tokens are kept encrypted."
    >
      <Rows>
        {value === null ? (
          <LoadingRow problem={problem} onRetry={() => void reload()} />
        ) : value.connection === null ? (
          <Row
            title="Not connected"
            detail="DigitalOcean asks you what to allow, and leads back here."
          >
            <ConnectButton label="Connect" />
          </Row>
        ) : (
          <Connected connection={value.connection} onChanged={() => void reload()} />
        )}
      </Rows>
    </Section>
  );
}

const loadConnection = async () => ({ connection: await api.cloudConnection() });

function ConnectButton({ label }: { label: string }) {
  return (
    <Button asChild size="small">
      <a href="/api/cloud/connect" data-testid="cloud-connect">
        {label}
      </a>
    </Button>
  );
}

interface ConnectedProps {
  connection: CloudConnection;
  onChanged(): void;
}

function Connected({ connection, onChanged }: ConnectedProps) {
  const [leaving, setLeaving] = useState(false);
  const expired = connection.state === "expired";
  const disconnect = async () => {
    await api.disconnectCloud();
    onChanged();
  };
  return (
    <Row
      title={connection.account_email}
      detail={
        expired
          ? "DigitalOcean no longer accepts our access. Your droplets go on; connect again to manage them."
          : `Since ${formatDate(connection.created_at)}`
      }
    >
      <Badge
        tone={expired ? "warning" : "live"}
        data-testid="cloud-state"
        data-state={connection.state}
      >
        <StatusDot tone={expired ? "warning" : "live"} />
        {expired ? "Expired" : "Connected"}
      </Badge>
      {expired ? (
        <ConnectButton label="Connect again" />
      ) : (
        <Button asChild size="small">
          <Link to="/?add=cloud" data-testid="create-droplet">
            Create a server
          </Link>
        </Button>
      )}
      <Button
        variant="outline"
        size="small"
        data-testid="cloud-disconnect"
        onClick={() => setLeaving(true)}
      >
        Disconnect…
      </Button>
      <ConfirmDialog
        open={leaving}
        onOpenChange={setLeaving}
        title="Disconnect DigitalOcean?"
        description="Our access is given back and forgotten. It is refused while a server that was made here still exists there: destroy it first, or it would cost money unseen."
        action="Disconnect"
        onConfirm={disconnect}
      />
    </Row>
  );
}
