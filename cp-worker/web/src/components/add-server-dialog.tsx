// Adds a server: a machine that a person has, or a droplet made for them.

import { Cloud, Server as ServerIcon, type LucideIcon } from "lucide-react";
import { RadioGroup } from "radix-ui";
import { useEffect, useState } from "react";
import { ConnectStep } from "@/components/connect-server";
import { CreateDroplet } from "@/components/create-droplet";
import { DialogForm, NameField } from "@/components/dialog-form";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { useAuth } from "@/hooks/auth";
import { api, type NewServer, type Server } from "@/lib/api";

export type Way = "own" | "cloud";

interface AddServerDialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  /** What is chosen when it opens. */
  way?: Way;
  /** The live list, which tells when the new server connects. */
  servers: Server[];
  onAdded(): void;
}

export function AddServerDialog(props: AddServerDialogProps) {
  const { open, onOpenChange, way = "own", servers, onAdded } = props;
  const [added, setAdded] = useState<NewServer | null>(null);
  useEffect(() => {
    if (open) setAdded(null);
  }, [open]);
  const close = () => onOpenChange(false);
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      {added === null ? (
        <FirstStep
          way={way}
          onAdded={(server) => {
            setAdded(server);
            onAdded();
          }}
          onOrdered={() => {
            onAdded();
            close();
          }}
        />
      ) : (
        <ConnectStep
          key={added.bootstrap_token}
          added={added}
          server={servers.find(({ gateway_id }) => gateway_id === added.server.gateway_id)}
          onRenewed={setAdded}
          onClose={close}
        />
      )}
    </Dialog>
  );
}

interface FirstStepProps {
  way: Way;
  onAdded(added: NewServer): void;
  onOrdered(): void;
}

function FirstStep(props: FirstStepProps) {
  return (
    <DialogContent
      title="Add a server"
      description="Agents and their code live there, and go on when you leave."
    >
      <FirstForm {...props} />
    </DialogContent>
  );
}

function FirstForm({ way: first, onAdded, onOrdered }: FirstStepProps) {
  const { config } = useAuth();
  const [way, setWay] = useState<Way>(config?.cloud ? first : "own");
  return (
    <>
      {config?.cloud && <WayChoice way={way} onChange={setWay} />}
      {way === "own" ? <OwnMachine onAdded={onAdded} /> : <CreateDroplet onOrdered={onOrdered} />}
    </>
  );
}

const WAYS: Record<Way, { label: string; description: string; icon: LucideIcon }> = {
  own: {
    label: "A machine that I have",
    description: "Linux, macOS or a Raspberry Pi: one line to paste",
    icon: ServerIcon,
  },
  cloud: {
    label: "Create one at DigitalOcean",
    description: "A new droplet on your own account, set up for you",
    icon: Cloud,
  },
};

function WayChoice({ way, onChange }: { way: Way; onChange(way: Way): void }) {
  return (
    <RadioGroup.Root
      aria-label="Which machine"
      value={way}
      onValueChange={(value) => onChange(value as Way)}
      className="grid gap-2 sm:grid-cols-2"
    >
      {Object.entries(WAYS).map(([name, { label, description, icon: Icon }]) => (
        <RadioGroup.Item
          key={name}
          value={name}
          data-testid={`add-${name}`}
          className="flex items-start gap-3 rounded-lg border border-input/80 bg-surface px-3.5 py-3 text-left outline-none hover:bg-muted/60 focus-visible:ring-2 focus-visible:ring-ring data-[state=checked]:border-live data-[state=checked]:bg-live/8"
        >
          <Icon aria-hidden strokeWidth={1.75} className="mt-0.5 size-4.5 shrink-0" />
          <span className="grid gap-0.5">
            <span className="text-sm font-medium">{label}</span>
            <span className="text-xs leading-snug text-muted-foreground">{description}</span>
          </span>
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}

function OwnMachine({ onAdded }: { onAdded(added: NewServer): void }) {
  const [name, setName] = useState("");
  return (
    <DialogForm
      action="Continue"
      busyAction="Adding…"
      ready={name.trim() !== ""}
      testId="server-create"
      onSubmit={async () => onAdded(await api.addServer(name.trim()))}
    >
      <NameField testId="server-name" placeholder="build-box" value={name} onChange={setName} />
    </DialogForm>
  );
}
