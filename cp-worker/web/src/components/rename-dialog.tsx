// Gives a session another name.

import { useState, type FormEvent } from "react";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { Dialog, DialogClose, DialogContent, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { api, problemText, type Session } from "@/lib/api";
import { NAME_CHARS } from "@/protocol/limits";

interface RenameDialogProps {
  session: Session;
  open: boolean;
  onOpenChange(open: boolean): void;
  onRenamed?(session: Session): void;
}

export function RenameDialog({ session, open, onOpenChange, onRenamed }: RenameDialogProps) {
  const [name, setName] = useState(session.name);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const { gateway_id, session_id } = session;
      onRenamed?.(await api.renameSession(gateway_id, session_id, name.trim()));
      onOpenChange(false);
    } catch (error) {
      toast.error(problemText(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent title="Rename session" description="Its programs notice nothing.">
        <form onSubmit={submit} className="grid gap-6">
          <Field label="Name">
            {(ids) => (
              <Input
                {...ids}
                data-testid="rename-name"
                required
                autoFocus
                autoComplete="off"
                maxLength={NAME_CHARS}
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
          <DialogFooter>
            <DialogClose asChild>
              <Button variant="outline">Cancel</Button>
            </DialogClose>
            <Button type="submit" disabled={busy || name.trim() === ""} data-testid="rename-save">
              {busy ? "Renaming…" : "Rename"}
            </Button>
          </DialogFooter>
        </form>
      </DialogContent>
    </Dialog>
  );
}
