// A session that wants a person, in lists: the badge for eyes, the sentence for ears.

import { Bell, BellRing, Hourglass, MessageSquareText, type LucideIcon } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import type { Session } from "@/lib/api";
import { attentionText, wanting } from "@/lib/attention";
import { formatAgo, plural } from "@/lib/format";

const ICONS: Record<string, LucideIcon> = {
  bell: Bell,
  notification: MessageSquareText,
  waiting: Hourglass,
};

interface SessionAttentionProps {
  attention: NonNullable<Session["attention"]>;
  now: number;
}

export function SessionAttention({ attention, now }: SessionAttentionProps) {
  const Icon = ICONS[attention.reason] ?? BellRing;
  return (
    <p
      data-testid="session-attention"
      data-reason={attention.reason}
      title={formatAgo(attention.at, now)}
      className="mt-2 flex flex-col items-start gap-x-2 gap-y-0.5 text-[13px] sm:flex-row"
    >
      <Badge tone="warning">
        <Icon aria-hidden />
        Wants you
      </Badge>
      {/* Words from elsewhere: their direction must not reach into ours. */}
      <bdi className="line-clamp-2 min-w-0 py-0.5 leading-5 wrap-anywhere">
        {attentionText(attention)}
      </bdi>
    </p>
  );
}

/** How many sessions of a server want a person. */
export function AttentionCount({ sessions }: { sessions: Session[] }) {
  const count = wanting(sessions).length;
  if (count === 0) return null;
  return (
    <Badge tone="warning" data-testid="attention-count">
      <BellRing aria-hidden />
      {plural(count, "session")} {count === 1 ? "wants" : "want"} you
    </Badge>
  );
}

/** Says aloud which sessions want a person, when that changes. */
export function AttentionStatus({ sessions }: { sessions: Session[] }) {
  const sentences = wanting(sessions).map(
    ({ name, attention }) => `${name} wants you: ${attention ? attentionText(attention) : ""}.`,
  );
  return (
    <p role="status" className="sr-only" data-testid="attention-status">
      {sentences.join(" ")}
    </p>
  );
}
