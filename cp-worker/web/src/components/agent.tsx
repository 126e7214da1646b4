// The agents: what people call them, and the sign by which a list tells them apart.

import {
  Asterisk,
  Hexagon,
  Sparkle,
  SquareCode,
  SquareTerminal,
  type LucideIcon,
} from "lucide-react";
import type { Agent } from "@/lib/api";
import { cn } from "@/lib/cn";

interface AgentInfo {
  label: string;
  description: string;
  icon: LucideIcon;
}

export const AGENTS: Record<Agent, AgentInfo> = {
  "claude-code": { label: "Claude Code", description: "Anthropic", icon: Asterisk },
  codex: { label: "Codex", description: "OpenAI", icon: Hexagon },
  gemini: { label: "Gemini CLI", description: "Google", icon: Sparkle },
  opencode: { label: "opencode", description: "Any model", icon: SquareCode },
  none: { label: "Shell", description: "No agent", icon: SquareTerminal },
};

export const AGENT_NAMES = Object.keys(AGENTS) as Agent[];

export function AgentMark({ agent, className }: { agent: Agent; className?: string }) {
  const { icon: Icon } = AGENTS[agent] ?? AGENTS.none;
  return (
    <span
      aria-hidden
      className={cn(
        "grid size-10 shrink-0 place-items-center rounded-lg bg-muted text-foreground [&_svg]:size-[18px]",
        className,
      )}
    >
      <Icon strokeWidth={1.75} />
    </span>
  );
}
