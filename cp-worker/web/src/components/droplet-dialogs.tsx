// Asks before a droplet is powered off or destroyed.

import { useState } from "react";
import { FormDialog } from "@/components/dialog-form";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { api, type Server } from "@/lib/api";

/** What is billed while a droplet is off, in the product's own words. */
const BILLING_NOTICE =
  "Compute billing stops. Storage and reserved IP continue to be billed. To stop all charges, destroy the droplet.";

interface DropletDialogProps {
  server: Server;
  open: boolean;
  onOpenChange(open: boolean): void;
  onChange(server: Server): void;
}

export function PowerOffDialog({ server, open, onOpenChange, onChange }: DropletDialogProps) {
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={onOpenChange}
      title={`Power off ${server.name}?`}
      description={
        <>
          Everything that runs on it is stopped; files stay.
          <span data-testid="billing-notice" className="mt-3 block text-foreground">
            {BILLING_NOTICE}
          </span>
        </>
      }
      action="Power off"
      onConfirm={async () => onChange(await api.powerDroplet(server.gateway_id, false))}
    />
  );
}

export function DestroyDialog({ server, open, onOpenChange, onChange }: DropletDialogProps) {
  const [typed, setTyped] = useState("");
  const change = (next: boolean) => {
    setTyped("");
    onOpenChange(next);
  };
  return (
    <FormDialog
      open={open}
      onOpenChange={change}
      title={`Destroy ${server.name}?`}
      description="The droplet is deleted at DigitalOcean with all files on it. Nobody can bring them back. All charges for it stop."
      action="Destroy droplet"
      busyAction="One moment…"
      danger
      ready={typed === server.name}
      testId="destroy-confirm"
      onSubmit={async () => onChange(await api.destroyDroplet(server.gateway_id, typed))}
    >
      <Field
        label={
          <>
            Type <b className="font-semibold wrap-anywhere">{server.name}</b> to confirm
          </>
        }
      >
        {(ids) => (
          <Input
            {...ids}
            data-testid="destroy-name"
            autoFocus
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        )}
      </Field>
    </FormDialog>
  );
}
