// Who one is here, and what proves it.

import { Section } from "@/components/section";
import { Row, Rows } from "@/components/ui/rows";
import type { User } from "@/lib/api";
import { formatDate } from "@/lib/format";

const KINDS: Record<User["identities"][number]["kind"], string> = {
  email: "Link by email",
  github: "GitHub",
  google: "Google",
};

export function AccountSection({ user }: { user: User }) {
  return (
    <Section title="Account">
      <Rows>
        <Row title={user.email} detail={`Since ${formatDate(user.created_at)}`} />
        {user.identities.map(({ kind, email }) => (
          <Row
            key={`${kind} ${email}`}
            data-testid="identity"
            data-kind={kind}
            title={KINDS[kind]}
            detail={email}
          >
            <span className="text-[13px] text-muted-foreground">Signs you in</span>
          </Row>
        ))}
      </Rows>
    </Section>
  );
}
