// Asks before something that cannot be undone and is large: a name has to be typed.

import { useState, type FormEvent, type ReactNode } from "react";
import { problemText } from "@/lib/api";
import { Button } from "./button";
import { Dialog, DialogClose, DialogContent, DialogFooter } from "./dialog";
import { Field } from "./field";
import { Input } from "./input";

interface TypedConfirmDialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  title: string;
  description: ReactNode;
  /** What has to be typed, exactly. */
  expected: string;
  /** What the button says: the deed itself. */
  action: string;
  /** A refusal is shown in the dialog, which stays open. */
  onConfirm(): Promise<void>;
}

export function TypedConfirmDialog(props: TypedConfirmDialogProps) {
  return (
    <Dialog open={props.open} onOpenChange={props.onOpenChange}>
      <DialogContent title={props.title} description={props.description}>
        <TypedForm {...props} />
      </DialogContent>
    </Dialog>
  );
}

function TypedForm({ onOpenChange, expected, action, onConfirm }: TypedConfirmDialogProps) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await onConfirm();
      onOpenChange(false);
    } catch (error) {
      setProblem(problemText(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={submit} className="grid gap-6">
      <Field label={`Type ${expected} to confirm`}>
        {(ids) => (
          <Input
            {...ids}
            data-testid="typed-confirmation"
            autoFocus
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        )}
      </Field>
      {problem !== null && (
        <p role="alert" className="text-sm leading-snug text-danger">
          {problem}
        </p>
      )}
      <DialogFooter>
        <DialogClose asChild>
          <Button variant="outline" disabled={busy}>
            Cancel
          </Button>
        </DialogClose>
        <Button
          type="submit"
          variant="danger"
          disabled={busy || typed !== expected}
          data-testid="confirm"
        >
          {busy ? "One moment…" : action}
        </Button>
      </DialogFooter>
    </form>
  );
}
