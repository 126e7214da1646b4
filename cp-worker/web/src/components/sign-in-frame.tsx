// The frame of the pages on which one signs in: words on the left, a session on the right.

import type { ReactNode } from "react";
import { Brand } from "@/components/brand";
import { ThemeMenu } from "@/components/page";
import { TerminalSketch } from "@/components/terminal-sketch";

interface SignInFrameProps {
  title: string;
  lead: ReactNode;
  children: ReactNode;
}

export function SignInFrame({ title, lead, children }: SignInFrameProps) {
  return (
    <div className="grid min-h-dvh lg:grid-cols-[minmax(0,5fr)_minmax(0,6fr)]">
      <div className="flex flex-col px-6 sm:px-12">
        <header className="flex h-16 items-center justify-between">
          {/* Not a page of the app: the one that says what this is. */}
          <a href="/" className="rounded-md text-lg focus-visible:outline-2">
            <Brand />
          </a>
          <ThemeMenu />
        </header>
        <main className="my-auto w-full max-w-md py-12">
          <h1 className="text-3xl leading-[1.12] font-semibold tracking-[-0.022em] text-balance sm:text-4xl">
            {title}
          </h1>
          <div className="mt-4 max-w-[46ch] leading-relaxed text-pretty text-muted-foreground">
            {lead}
          </div>
          {children}
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

/** What went wrong, where a person looks. */
export function SignInProblem({ text }: { text: string | null }) {
  if (text === null) return null;
  return (
    <p role="alert" data-testid="sign-in-problem" className="text-sm leading-snug text-danger">
      {text}
    </p>
  );
}
