// The form that dialogs share: fields, what went wrong, Cancel and the deed.

import { useState, type FormEvent, type ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Dialog, DialogClose, DialogContent, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { problemText } from "@/lib/api";
import { NAME_CHARS } from "@/protocol/limits";

interface DialogFormProps {
  /** What the button says: the deed itself. */
  action: string;
  /** What it says meanwhile. */
  busyAction: string;
  /** Whether the fields hold what is needed. */
  ready: boolean;
  /** Something else is waited for. */
  busy?: boolean;
  danger?: boolean;
  testId: string;
  onSubmit(): Promise<void>;
  children: ReactNode;
}

export function DialogForm(props: DialogFormProps) {
  const [sending, setSending] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const busy = sending || (props.busy ?? false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || !props.ready) return;
    setSending(true);
    setProblem(null);
    try {
      await props.onSubmit();
    } catch (error) {
      setProblem(problemText(error));
    } finally {
      setSending(false);
    }
  };
  return (
    <form onSubmit={submit} className="grid min-w-0 gap-5">
      {props.children}
      {problem !== null && <Problem text={problem} />}
      <DialogFooter>
        <DialogClose asChild>
          <Button variant="outline">Cancel</Button>
        </DialogClose>
        <Button
          type="submit"
          variant={props.danger ? "danger" : "primary"}
          disabled={busy || !props.ready}
          data-testid={props.testId}
        >
          {busy ? props.busyAction : props.action}
        </Button>
      </DialogFooter>
    </form>
  );
}

/** What went wrong, where it went wrong. */
export function Problem({ text }: { text: string }) {
  return (
    <p
      role="alert"
      data-testid="problem"
      className="rounded-md bg-danger/8 px-3 py-2.5 text-sm wrap-anywhere text-danger"
    >
      {text}
    </p>
  );
}

interface FormDialogProps extends DialogFormProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  title: string;
  description: ReactNode;
}

/** A dialog that is one form, and closes when it succeeded. */
export function FormDialog(props: FormDialogProps) {
  const { open, onOpenChange, title, description, onSubmit, ...form } = props;
  const submit = async () => {
    await onSubmit();
    onOpenChange(false);
  };
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent title={title} description={description}>
        <DialogForm {...form} onSubmit={submit} />
      </DialogContent>
    </Dialog>
  );
}

interface NameFieldProps {
  value: string;
  onChange(value: string): void;
  testId: string;
  placeholder?: string;
  label?: string;
  autoFocus?: boolean;
}

/** A name as servers and sessions have one. */
export function NameField({ label = "Name", autoFocus = true, ...props }: NameFieldProps) {
  return (
    <Field label={label}>
      {(ids) => (
        <Input
          {...ids}
          data-testid={props.testId}
          placeholder={props.placeholder}
          required
          autoFocus={autoFocus}
          autoComplete="off"
          maxLength={NAME_CHARS}
          value={props.value}
          onChange={(event) => props.onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
