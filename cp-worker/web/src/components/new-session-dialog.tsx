// Starts a session: which agent, in which folder, under which name; installs the agent first.

import { RadioGroup } from "radix-ui";
import { useEffect, useState } from "react";
import { useNavigate } from "react-router";
import { AGENTS, AGENT_NAMES } from "@/components/agent";
import { InstallFailed } from "@/components/agents";
import { DialogForm, NameField, Problem } from "@/components/dialog-form";
import { FolderField } from "@/components/folder-field";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Spinner } from "@/components/ui/notice";
import { useAgents, type LiveAgents } from "@/hooks/use-agents";
import { isInstalled } from "@/lib/agent-installs";
import { api, problemText, type Agent } from "@/lib/api";
import { estimateSize } from "@/lib/estimate-size";

interface Preset {
  agent: Agent;
  workdir: string;
}

interface NewSessionDialogProps {
  gatewayId: string;
  open: boolean;
  onOpenChange(open: boolean): void;
  /** What is filled in when it opens, such as that of a session that has ended. */
  preset?: Preset;
}

export function NewSessionDialog(props: NewSessionDialogProps) {
  const { gatewayId, open, onOpenChange, preset } = props;
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent
        title="New session"
        description="It runs in tmux on the server and goes on when you leave."
      >
        <NewSessionForm
          gatewayId={gatewayId}
          preset={preset}
          onStarted={() => onOpenChange(false)}
        />
      </DialogContent>
    </Dialog>
  );
}

interface NewSessionFormProps {
  gatewayId: string;
  preset: Preset | undefined;
  onStarted(): void;
}

function NewSessionForm({ gatewayId, preset, onStarted }: NewSessionFormProps) {
  const navigate = useNavigate();
  const agents = useAgents(gatewayId, true);
  const [chosen, setChosen] = useState<Agent | null>(preset?.agent ?? null);
  const [name, setName] = useState("");
  const [folder, setFolder] = useState(preset?.workdir ?? "");
  const agent = chosen ?? firstInstalled(agents);
  const start = async () => {
    const session = await api.createSession(gatewayId, {
      name: name.trim(),
      workdir: folder.trim(),
      agent,
      ...estimateSize(window.innerWidth, window.innerHeight),
    });
    onStarted();
    await navigate(`/servers/${gatewayId}/sessions/${session.session_id}`);
  };
  const { installing, problem, installThenStart } = useInstallFirst(agents, agent, start);
  const missing = !isInstalled(agents, agent);
  // Until the list is here every agent counts as installed, and which comes first is a guess.
  const known = agents.list !== null || agents.problem !== null || agent === "none";
  const submit = async () => {
    // What it starts as is what it stays: the list may say something else meanwhile.
    setChosen(agent);
    await (missing ? installThenStart() : start());
  };
  return (
    <DialogForm
      action={missing ? "Install and start" : "Start session"}
      busyAction={installing ? "Installing…" : "Starting…"}
      ready={known && name.trim() !== ""}
      busy={installing}
      testId="session-create"
      onSubmit={submit}
    >
      <AgentChoice agents={agents} agent={agent} disabled={installing} onChange={setChosen} />
      {missing && <Missing agents={agents} agent={agent} />}
      <NameField
        testId="session-name"
        placeholder="fix the flaky test"
        value={name}
        onChange={setName}
      />
      <FolderField gatewayId={gatewayId} value={folder} onChange={setFolder} />
      {problem !== null && <Problem text={problem} />}
    </DialogForm>
  );
}

/** What is chosen before anybody chooses. */
function firstInstalled({ list }: LiveAgents): Agent {
  return list?.find(({ installed }) => installed)?.agent ?? "claude-code";
}

/** Starts the session as soon as the agent that it needs is installed. */
function useInstallFirst(agents: LiveAgents, agent: Agent, start: () => Promise<void>) {
  const [waiting, setWaiting] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const there = isInstalled(agents, agent);
  const failed = agent !== "none" && agents.installs[agent]?.state === "failed";
  useEffect(() => {
    if (!waiting || (!there && !failed)) return;
    setWaiting(false);
    if (there) start().catch((error: unknown) => setProblem(problemText(error)));
    // `start` is of this agent as long as it is waited for: the fields are fixed meanwhile.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [waiting, there, failed]);
  const installThenStart = async () => {
    if (agent === "none") return;
    setProblem(null);
    await agents.install(agent);
    setWaiting(true);
  };
  return { installing: waiting, problem, installThenStart };
}

function Missing({ agents, agent }: { agents: LiveAgents; agent: Agent }) {
  const install = agent === "none" ? undefined : agents.installs[agent];
  if (install?.state === "failed") return <InstallFailed message={install.message} />;
  return (
    <p
      role="status"
      data-testid="agent-missing"
      className="flex items-center gap-2.5 rounded-md bg-warning/10 px-3 py-2.5 text-[13px] leading-snug"
    >
      {install === undefined ? (
        `${AGENTS[agent].label} is not installed on this server. It is installed first, for the user of the gateway alone.`
      ) : (
        <>
          <Spinner aria-hidden className="size-4 shrink-0 text-warning" />
          <span className="line-clamp-2 min-w-0 wrap-anywhere">{install.message}</span>
        </>
      )}
    </p>
  );
}

interface AgentChoiceProps {
  agents: LiveAgents;
  agent: Agent;
  disabled: boolean;
  onChange(agent: Agent): void;
}

function AgentChoice({ agents, agent, disabled, onChange }: AgentChoiceProps) {
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-2 text-sm font-medium">Agent</legend>
      <RadioGroup.Root
        data-testid="session-agent"
        aria-label="Agent"
        value={agent}
        disabled={disabled}
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
                <span className="block truncate text-xs text-muted-foreground">
                  {isInstalled(agents, name) ? description : "Not installed"}
                </span>
              </span>
            </RadioGroup.Item>
          );
        })}
      </RadioGroup.Root>
    </fieldset>
  );
}
