// The first page: what this is, and the way in.

import { useState, type FormEvent } from "react";
import { Brand } from "@/components/brand";
import { ThemeMenu } from "@/components/page";
import { TerminalSketch } from "@/components/terminal-sketch";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { useAuth } from "@/hooks/auth";
import { problemText } from "@/lib/api";

export function SignInPage() {
  return (
    <div className="grid min-h-dvh lg:grid-cols-[minmax(0,5fr)_minmax(0,6fr)]">
      <div className="flex flex-col px-6 sm:px-12">
        <header className="flex h-16 items-center justify-between">
          <Brand className="text-lg" />
          <ThemeMenu />
        </header>
        <main className="my-auto w-full max-w-md py-12">
          <h1 className="text-4xl leading-[1.08] font-semibold tracking-[-0.025em] text-balance sm:text-5xl">
            Your agents keep working.
          </h1>
          <p className="mt-5 max-w-[42ch] leading-relaxed text-pretty text-muted-foreground">
            A terminal in the browser, on a server that you own. Close the tab, change the device,
            lose the network: the session goes on.
          </p>
          <SignInForm />
        </main>
        <footer className="pb-6 text-[13px] text-muted-foreground">
          The code stays on your server.
        </footer>
      </div>
      <div aria-hidden className="hidden items-center bg-muted/60 p-12 lg:flex">
        <TerminalSketch />
      </div>
    </div>
  );
}

function SignInForm() {
  const { config, problem, signIn } = useAuth();
  const [email, setEmail] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const failure = problem ?? refusal;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setRefusal(null);
    try {
      await signIn(email.trim());
    } catch (error) {
      setRefusal(problemText(error));
      setBusy(false);
    }
  };

  if (config?.auth_mode === "email") {
    return (
      <p className="mt-9 rounded-lg border bg-surface p-4 text-sm leading-relaxed">
        Sign-in by email link is not switched on here yet.
      </p>
    );
  }
  return (
    <form onSubmit={submit} className="mt-9 grid gap-4">
      <Field
        label="Email"
        hint={
          config?.auth_mode === "dev"
            ? "Development mode: any address signs in, no mail is sent."
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
      {failure !== null && (
        <p role="alert" className="text-sm text-danger">
          {failure}
        </p>
      )}
      <Button type="submit" size="large" disabled={busy} data-testid="sign-in-submit">
        {busy ? "Signing in…" : "Sign in"}
      </Button>
    </form>
  );
}
