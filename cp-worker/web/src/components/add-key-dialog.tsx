// Adds a public SSH key; a private one is refused before anything leaves the browser.

import { useEffect, useId, useState } from "react";
import { FormDialog } from "@/components/dialog-form";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { api, type Key } from "@/lib/api";
import { readPublicKey } from "@/lib/ssh-key";
import { KEY_LABEL_CHARS } from "@/protocol/limits";

const DAY_S = 24 * 3600;

/** How long a key may live, in seconds; 0 for as long as it is not removed. */
const LIVES: [string, number][] = [
  ["Never", 0],
  ["In a day", DAY_S],
  ["In a week", 7 * DAY_S],
  ["In 30 days", 30 * DAY_S],
  ["In a year", 365 * DAY_S],
];

interface AddKeyDialogProps {
  gatewayId: string;
  open: boolean;
  onOpenChange(open: boolean): void;
  onAdded(keys: Key[]): void;
}

export function AddKeyDialog({ gatewayId, open, onOpenChange, onAdded }: AddKeyDialogProps) {
  const [text, setText] = useState("");
  const [refused, setRefused] = useState<string | null>(null);
  const [label, setLabel] = useState<string | null>(null);
  const [life, setLife] = useState(0);
  useEffect(() => {
    if (open) return;
    setText("");
    setRefused(null);
    setLabel(null);
    setLife(0);
  }, [open]);
  const take = (entered: string) => {
    const read = readPublicKey(entered);
    const secret = read !== null && "secret" in read;
    setText(secret ? "" : entered);
    setRefused(read !== null && "problem" in read ? read.problem : null);
  };
  const pasted = readPublicKey(text);
  const key = pasted !== null && "line" in pasted ? pasted : null;
  const called = (label ?? key?.comment ?? "").slice(0, KEY_LABEL_CHARS);
  const add = async () => {
    if (key === null) return;
    const expires = life > 0 ? { expires_at: Math.floor(Date.now() / 1000) + life } : {};
    onAdded(
      await api.addKey(gatewayId, { public_key: key.line, label: called.trim(), ...expires }),
    );
  };
  return (
    <FormDialog
      open={open}
      onOpenChange={onOpenChange}
      title="Add an SSH key"
      description="Whoever has its private half can log in to the machine as the user of the gateway."
      action="Add key"
      busyAction="Adding…"
      ready={key !== null && called.trim() !== ""}
      testId="key-save"
      onSubmit={add}
    >
      <KeyText text={text} onChange={take} problem={refused} />
      <Field label="Label">
        {(ids) => (
          <Input
            {...ids}
            data-testid="key-label"
            placeholder="laptop"
            autoComplete="off"
            maxLength={KEY_LABEL_CHARS}
            value={called}
            onChange={(event) => setLabel(event.target.value)}
          />
        )}
      </Field>
      <Field label="Expires">
        {(ids) => (
          <Select
            {...ids}
            data-testid="key-expires"
            value={life}
            onChange={(event) => setLife(Number(event.target.value))}
          >
            {LIVES.map(([text, seconds]) => (
              <option key={seconds} value={seconds}>
                {text}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </FormDialog>
  );
}

interface KeyTextProps {
  text: string;
  onChange(text: string): void;
  problem: string | null;
}

function KeyText({ text, onChange, problem }: KeyTextProps) {
  const problemId = useId();
  return (
    <div className="grid gap-2">
      <Field label="Public key" hint="One line of a .pub file, such as ~/.ssh/id_ed25519.pub">
        {(ids) => (
          <textarea
            {...ids}
            data-testid="key-text"
            required
            autoFocus
            rows={4}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            aria-invalid={problem !== null}
            aria-errormessage={problem === null ? undefined : problemId}
            placeholder="ssh-ed25519 AAAA… you@laptop"
            className="w-full min-w-0 resize-y rounded-md border border-input bg-surface px-3 py-2.5 font-mono text-base leading-relaxed break-all transition-shadow outline-none placeholder:text-muted-foreground focus-visible:border-ring focus-visible:ring-3 focus-visible:ring-ring/25 aria-invalid:border-danger sm:text-[12.5px]"
            value={text}
            onChange={(event) => onChange(event.target.value)}
          />
        )}
      </Field>
      {problem !== null && (
        <p
          id={problemId}
          role="alert"
          data-testid="key-problem"
          className="text-[13px] text-danger"
        >
          {problem}
        </p>
      )}
    </div>
  );
}
