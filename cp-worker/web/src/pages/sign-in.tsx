// The way in: a link by email, an account elsewhere, or in development any address at once.

import { useEffect, useState, type FormEvent } from "react";
import { useSearchParams } from "react-router";
import { CheckMail } from "@/components/check-mail";
import { ReturnToPage } from "@/components/return-to-page";
import { SignInFrame, SignInProblem } from "@/components/sign-in-frame";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { useAuth } from "@/hooks/auth";
import { api, problemText } from "@/lib/api";
import { keepReturnPath, safePath } from "@/lib/return-path";
import { signInProblem } from "@/lib/sign-in-problem";

export function SignInPage() {
  const { user } = useAuth();
  const [parameters] = useSearchParams();
  const [mailedTo, setMailedTo] = useState<string | null>(null);
  const next = safePath(parameters.get("next"));
  const problem = signInProblem(parameters.get("problem"));

  useEffect(() => {
    document.title = "Sign in · chatcode";
  }, []);
  useEffect(() => {
    // The way back may lead through a mail or another site, and from there back to here.
    if (user === null && problem === null) keepReturnPath(next, Date.now());
  }, [next, problem, user]);

  if (user !== null) return <ReturnToPage otherwise={next} />;
  if (mailedTo !== null) return <CheckMail email={mailedTo} onBack={() => setMailedTo(null)} />;
  return (
    <SignInFrame
      title="Sign in"
      lead="No password: you get a link by email. A new address makes a new account."
    >
      <SignInForm problem={problem} onMailed={setMailedTo} />
    </SignInFrame>
  );
}

interface SignInFormProps {
  problem: string | null;
  onMailed(email: string): void;
}

function SignInForm({ problem, onMailed }: SignInFormProps) {
  const { config, enter } = useAuth();
  const [email, setEmail] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState(problem);
  const isDev = config?.auth_mode === "dev";

  const attempt = async (deed: () => Promise<void>) => {
    setBusy(true);
    setRefusal(null);
    try {
      await deed();
    } catch (error) {
      setRefusal(problemText(error));
      setBusy(false);
    }
  };
  const mail = () =>
    attempt(async () => {
      await api.mailLink(email.trim());
      onMailed(email.trim());
    });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const submitter = (event.nativeEvent as SubmitEvent).submitter;
    const quick = isDev && submitter?.dataset.way !== "mail";
    void (quick ? attempt(async () => enter(await api.signInDev(email.trim()))) : mail());
  };

  return (
    <form onSubmit={submit} className="mt-8 grid gap-4">
      <Field
        label="Email"
        hint={
          isDev
            ? "Development mode: any address signs in at once. A link is not sent either, but shown in the outbox."
            : undefined
        }
      >
        {(ids) => (
          <Input
            {...ids}
            data-testid="sign-in-email"
            type="email"
            name="email"
            autoComplete="email"
            placeholder="you@example.com"
            required
            autoFocus
            className="h-11"
            value={email}
            aria-invalid={refusal !== null}
            onChange={(event) => setEmail(event.target.value)}
          />
        )}
      </Field>
      <SignInProblem text={refusal} />
      {isDev ? (
        <div className="grid gap-2 sm:grid-cols-2">
          <Button type="submit" size="large" disabled={busy} data-testid="sign-in-submit">
            {busy ? "Signing in…" : "Sign in"}
          </Button>
          <Button
            type="submit"
            size="large"
            variant="outline"
            disabled={busy}
            data-way="mail"
            data-testid="sign-in-mail"
          >
            Mail me a link
          </Button>
        </div>
      ) : (
        <Button
          type="submit"
          size="large"
          disabled={busy}
          data-way="mail"
          data-testid="sign-in-mail"
        >
          {busy ? "One moment…" : "Continue with email"}
        </Button>
      )}
      <Providers />
    </form>
  );
}

/** Accounts elsewhere, where the deployment has set them up. */
function Providers() {
  const { config } = useAuth();
  const offered = [
    { name: "GitHub", on: config?.github, href: "/api/auth/github", id: "sign-in-github" },
    { name: "Google", on: config?.google, href: "/api/auth/google", id: "sign-in-google" },
  ].filter(({ on }) => on === true);
  if (offered.length === 0) return null;
  return (
    <>
      <p className="flex items-center gap-3 text-[13px] text-muted-foreground before:h-px before:flex-1 before:bg-border after:h-px after:flex-1 after:bg-border">
        or
      </p>
      <div className="grid gap-2">
        {offered.map(({ name, href, id }) => (
          <Button key={name} asChild variant="outline" size="large">
            <a href={href} data-testid={id}>
              Continue with {name}
            </a>
          </Button>
        ))}
      </div>
    </>
  );
}
