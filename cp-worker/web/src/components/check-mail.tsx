// The link is on its way: where to look, and what to do when it does not come.

import { useEffect, useState } from "react";
import { Link } from "react-router";
import { SignInFrame, SignInProblem } from "@/components/sign-in-frame";
import { Button } from "@/components/ui/button";
import { useAuth } from "@/hooks/auth";
import { useNow } from "@/hooks/use-now";
import { api, problemText } from "@/lib/api";

/** Milliseconds after which another link may be asked for: mail takes its time. */
const RESEND_AFTER_MS = 30_000;

export function CheckMail({ email, onBack }: { email: string; onBack(): void }) {
  const { config, refresh } = useAuth();
  const [sentAt, setSentAt] = useState(() => Date.now());
  const [again, setAgain] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const now = useNow(1_000);
  const wait = Math.ceil((sentAt + RESEND_AFTER_MS - now) / 1000);

  useEffect(() => {
    document.title = "Check your mail · chatcode";
    // The link opens in another tab; when this one is looked at again, it has worked or not.
    const look = () => document.visibilityState === "visible" && void refresh();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [refresh]);

  const resend = async () => {
    setSentAt(Date.now());
    setProblem(null);
    try {
      await api.mailLink(email);
      setAgain(true);
    } catch (error) {
      setProblem(problemText(error));
    }
  };

  return (
    <SignInFrame
      title="Check your mail"
      lead={
        <>
          A link to sign in is on its way to{" "}
          <b data-testid="mailed-to" className="font-semibold break-words text-foreground">
            {email}
          </b>
          . It works once, within ten minutes.
        </>
      }
    >
      <div className="mt-8 grid gap-5">
        {config?.auth_mode === "dev" && (
          <p className="rounded-lg border bg-surface p-4 text-sm leading-relaxed">
            Development mode: no mail is sent. It is in the terminal of the control plane and in the{" "}
            <Link
              to="/dev/outbox"
              data-testid="open-outbox"
              className="rounded-xs font-medium underline underline-offset-3"
            >
              outbox
            </Link>
            .
          </p>
        )}
        <p role="status" className="text-sm leading-relaxed text-muted-foreground">
          {again
            ? "Sent again. Only the address’s owner can use it."
            : "Nothing there? Look among spam, and check the address."}
        </p>
        <SignInProblem text={problem} />
        <div className="flex flex-wrap gap-2">
          <Button
            variant="outline"
            disabled={wait > 0}
            data-testid="resend"
            onClick={() => void resend()}
          >
            {wait > 0 ? `Send again in ${wait} s` : "Send again"}
          </Button>
          <Button variant="ghost" onClick={onBack}>
            Use another address
          </Button>
        </div>
      </div>
    </SignInFrame>
  );
}
