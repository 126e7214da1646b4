// A labelled form field with room for a hint.

import { Label } from "radix-ui";
import { useId, type ReactNode } from "react";

interface FieldProps {
  label: ReactNode;
  hint?: ReactNode;
  /** Given the ids that tie the control to its label and hint. */
  children(ids: { id: string; "aria-describedby": string | undefined }): ReactNode;
}

export function Field({ label, hint, children }: FieldProps) {
  const id = useId();
  const hintId = hint === undefined ? undefined : `${id}-hint`;
  return (
    <div className="grid gap-2">
      <Label.Root htmlFor={id} className="text-sm font-medium">
        {label}
      </Label.Root>
      {children({ id, "aria-describedby": hintId })}
      {hintId !== undefined && (
        <p id={hintId} className="text-[13px] leading-snug text-muted-foreground">
          {hint}
        </p>
      )}
    </div>
  );
}
