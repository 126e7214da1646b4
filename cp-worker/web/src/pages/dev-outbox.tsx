// Mails that a development server would have sent.

import { Mailbox } from "lucide-react";
import { EmptyState } from "@/components/empty-state";
import { LoadProblem } from "@/components/load-problem";
import { Page, PageTitle } from "@/components/page";
import { Button } from "@/components/ui/button";
import { useLoaded } from "@/hooks/use-loaded";
import { useNow } from "@/hooks/use-now";
import { usePageTitle } from "@/hooks/use-page-title";
import { api, type Mail } from "@/lib/api";
import { formatAgo } from "@/lib/format";
import { piecesOf } from "@/lib/links";

export default function OutboxPage() {
  usePageTitle("Outbox", 0);
  const { value: mails, problem, reload } = useLoaded(api.devOutbox);
  return (
    <Page>
      <PageTitle
        action={
          <Button variant="outline" onClick={() => void reload()}>
            Look again
          </Button>
        }
      >
        Outbox
      </PageTitle>
      <p className="-mt-4 mb-6 text-sm leading-relaxed text-muted-foreground">
        Development mode: these mails were not sent.
      </p>
      {problem !== null && <LoadProblem text={problem} onRetry={() => void reload()} />}
      {problem === null && mails?.length === 0 && (
        <EmptyState icon={Mailbox} title="No mail yet">
          Ask for a link on the sign-in page, and it appears here.
        </EmptyState>
      )}
      <ul className="grid gap-4">
        {mails?.map((mail, index) => (
          <MailCard key={`${mail.at} ${index}`} mail={mail} />
        ))}
      </ul>
    </Page>
  );
}

function MailCard({ mail }: { mail: Mail }) {
  const now = useNow();
  return (
    <li data-testid="mail" data-to={mail.to} className="rounded-xl border bg-surface">
      <div className="border-b px-5 py-3.5">
        <h2 className="font-semibold tracking-tight">{mail.subject}</h2>
        <p className="text-[13px] break-words text-muted-foreground">
          To {mail.to}, {formatAgo(mail.at, now)}
        </p>
      </div>
      <p className="px-5 py-4 text-sm leading-relaxed break-words whitespace-pre-wrap">
        {piecesOf(mail.text).map(({ text, address }, index) =>
          address ? (
            <a
              key={index}
              href={text}
              data-testid="mail-link"
              className="rounded-xs break-all text-live underline underline-offset-3"
            >
              {text}
            </a>
          ) : (
            text
          ),
        )}
      </p>
    </li>
  );
}
