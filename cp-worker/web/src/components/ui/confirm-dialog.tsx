// Asks before something that cannot be undone, and stays open until it is done.

import { AlertDialog } from "radix-ui";
import { useState, type ReactNode } from "react";
import { toast } from "sonner";
import { problemText } from "@/lib/api";
import { Button } from "./button";
import { DialogFooter, overlayClasses, panelClasses } from "./dialog";
import { RememberOpener, useFocusReturn } from "./focus-return";

interface ConfirmDialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  title: string;
  description: ReactNode;
  /** What the button says: the deed itself, not "OK". */
  action: string;
  /** `primary` where nothing is lost. */
  tone?: "danger" | "primary";
  onConfirm(): Promise<void>;
}

export function ConfirmDialog(props: ConfirmDialogProps) {
  const [busy, setBusy] = useState(false);
  const { opener, onCloseAutoFocus } = useFocusReturn();
  const confirm = async () => {
    setBusy(true);
    try {
      await props.onConfirm();
      props.onOpenChange(false);
    } catch (error) {
      toast.error(problemText(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <AlertDialog.Root open={props.open} onOpenChange={props.onOpenChange}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={overlayClasses} />
        <AlertDialog.Content className={panelClasses} onCloseAutoFocus={onCloseAutoFocus}>
          <RememberOpener opener={opener} />
          <div className="grid gap-1.5">
            <AlertDialog.Title className="text-lg font-semibold tracking-tight">
              {props.title}
            </AlertDialog.Title>
            <AlertDialog.Description className="text-sm leading-relaxed text-muted-foreground">
              {props.description}
            </AlertDialog.Description>
          </div>
          <DialogFooter>
            <AlertDialog.Cancel asChild>
              <Button variant="outline" disabled={busy}>
                Cancel
              </Button>
            </AlertDialog.Cancel>
            <Button
              variant={props.tone ?? "danger"}
              disabled={busy}
              data-testid="confirm"
              onClick={confirm}
            >
              {busy ? "One moment…" : props.action}
            </Button>
          </DialogFooter>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
