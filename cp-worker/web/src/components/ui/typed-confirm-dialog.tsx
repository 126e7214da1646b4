// Asks before something that cannot be undone and is large: a name has to be typed.

import { useState, type ReactNode } from "react";
import { DialogForm } from "@/components/dialog-form";
import { Dialog, DialogContent } from "./dialog";
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
  const confirm = async () => {
    await onConfirm();
    onOpenChange(false);
  };
  return (
    <DialogForm
      danger
      action={action}
      busyAction="One moment…"
      ready={typed === expected}
      testId="confirm"
      onSubmit={confirm}
    >
      <Field
        label={
          <span>
            Type <b className="font-semibold wrap-anywhere">{expected}</b> to confirm
          </span>
        }
      >
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
    </DialogForm>
  );
}
