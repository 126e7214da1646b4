// Starts a session: which agent, in which folder, under which name.

import { RadioGroup } from "radix-ui";
import { useState, type FormEvent } from "react";
import { useNavigate } from "react-router";
import { toast } from "sonner";
import { AGENTS, AGENT_NAMES } from "@/components/agent";
import { Button } from "@/components/ui/button";
import { Dialog, DialogClose, DialogContent, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { api, problemText, type Agent } from "@/lib/api";
import { estimateSize } from "@/lib/estimate-size";
import { NAME_CHARS } from "@/protocol/limits";

interface NewSessionDialogProps {
  gatewayId: string;
  open: boolean;
  onOpenChange(open: boolean): void;
}

export function NewSessionDialog({ gatewayId, open, onOpenChange }: NewSessionDialogProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent
        title="New session"
        description="It runs in tmux on the server and goes on when you leave."
      >
        <NewSessionForm gatewayId={gatewayId} />
      </DialogContent>
    </Dialog>
  );
}

function NewSessionForm({ gatewayId }: { gatewayId: string }) {
  const navigate = useNavigate();
  const [agent, setAgent] = useState<Agent>("claude-code");
  const [name, setName] = useState("");
  const [folder, setFolder] = useState("");
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const session = await api.createSession(gatewayId, {
        name: name.trim(),
        workdir: folder.trim(),
        agent,
        ...estimateSize(window.innerWidth, window.innerHeight),
      });
      await navigate(`/servers/${gatewayId}/sessions/${session.session_id}`);
    } catch (error) {
      toast.error(problemText(error));
      setBusy(false);
    }
  };

  return (
    <form onSubmit={submit} className="grid gap-5">
      <AgentChoice agent={agent} onChange={setAgent} />
      <Field label="Name">
        {(ids) => (
          <Input
            {...ids}
            data-testid="session-name"
            placeholder="fix the flaky test"
            required
            autoFocus
            autoComplete="off"
            maxLength={NAME_CHARS}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <Field
        label="Folder"
        hint="Inside the workspace of the server; made when it is missing. Empty: the workspace itself."
      >
        {(ids) => (
          <Input
            {...ids}
            data-testid="session-folder"
            placeholder="my-project"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            className="font-mono"
            value={folder}
            onChange={(event) => setFolder(event.target.value)}
          />
        )}
      </Field>
      <DialogFooter>
        <DialogClose asChild>
          <Button variant="outline">Cancel</Button>
        </DialogClose>
        <Button type="submit" disabled={busy || name.trim() === ""} data-testid="session-create">
          {busy ? "Starting…" : "Start session"}
        </Button>
      </DialogFooter>
    </form>
  );
}

function AgentChoice({ agent, onChange }: { agent: Agent; onChange(agent: Agent): void }) {
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-2 text-sm font-medium">Agent</legend>
      <RadioGroup.Root
        data-testid="session-agent"
        aria-label="Agent"
        value={agent}
        onValueChange={(value) => onChange(value as Agent)}
        className="grid grid-cols-2 gap-2 sm:grid-cols-6"
      >
        {AGENT_NAMES.map((name) => {
          const { label, description, icon: Icon } = AGENTS[name];
          return (
            <RadioGroup.Item
              key={name}
              value={name}
              data-testid={`agent-${name}`}
              className="flex items-center gap-3 rounded-lg border border-input/80 max-sm:last-of-type:col-span-2 sm:col-span-2 sm:nth-of-type-[n+4]:col-span-3 bg-surface px-3 py-2.5 text-left outline-none hover:bg-muted/60 focus-visible:ring-2 focus-visible:ring-ring data-[state=checked]:border-live data-[state=checked]:bg-live/8"
            >
              <Icon aria-hidden strokeWidth={1.75} className="size-4.5 shrink-0" />
              <span className="min-w-0">
                <span className="block truncate text-sm font-medium">{label}</span>
                <span className="block truncate text-xs text-muted-foreground">{description}</span>
              </span>
            </RadioGroup.Item>
          );
        })}
      </RadioGroup.Root>
    </fieldset>
  );
}
