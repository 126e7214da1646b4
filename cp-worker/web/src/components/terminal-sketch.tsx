// A drawing of a session for the sign-in page.

import { StatusDot } from "./status-dot";

export function TerminalSketch() {
  return (
    <div className="mx-auto w-full max-w-2xl overflow-hidden rounded-xl border bg-terminal shadow-raised">
      <div className="flex items-center gap-2.5 border-b px-4 py-2.5 text-[13px]">
        <StatusDot tone="live" pulse />
        <span className="font-medium">payment-service</span>
        <span className="font-mono text-xs text-muted-foreground">~/workspace/payments</span>
        <span className="ml-auto text-xs text-muted-foreground">2 viewers</span>
      </div>
      <pre className="overflow-hidden p-5 font-mono text-[13px] leading-[1.65]">
        <span className="text-live">❯</span> claude
        {"\n\n"}
        <span className="text-muted-foreground">&gt;</span> make the webhook handler idempotent
        {"\n\n"}
        <span className="text-live">●</span> Two deliveries of the same event race on the insert.
        {"\n"}
        {"  I’ll add a unique key and treat the conflict as done.\n\n"}
        <span className="text-live">●</span> <b className="font-semibold">Edit</b> src/webhook.rs
        {"\n"}
        <span className="text-danger">{"  - let row = insert(&tx, &event).await?;"}</span>
        {"\n"}
        <span className="text-live">
          {"  + let Some(row) = insert_once(&tx, &event).await? else {"}
        </span>
        {"\n"}
        <span className="text-live">{"  +     return Ok(Outcome::AlreadyHandled);"}</span>
        {"\n"}
        <span className="text-live">{"  + };"}</span>
        {"\n\n"}
        <span className="text-live">●</span> <b className="font-semibold">Run</b> cargo test webhook
        {"\n"}
        <span className="text-muted-foreground">{"  14 passed; 0 failed"}</span>
        {"\n\n"}
        <span className="text-muted-foreground">&gt;</span>{" "}
        <span className="inline-block h-[1.15em] w-[0.6em] animate-cursor bg-live align-text-bottom" />
      </pre>
    </div>
  );
}
