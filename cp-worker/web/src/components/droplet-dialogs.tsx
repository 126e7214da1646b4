// Asks before a droplet is powered off or destroyed.

import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { TypedConfirmDialog } from "@/components/ui/typed-confirm-dialog";
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
  const { gateway_id, name } = server;
  return (
    <TypedConfirmDialog
      open={open}
      onOpenChange={onOpenChange}
      title={`Destroy ${name}?`}
      description="The droplet is deleted at DigitalOcean with all files on it. Nobody can bring them back. All charges for it stop."
      expected={name}
      action="Destroy droplet"
      onConfirm={async () => onChange(await api.destroyDroplet(gateway_id, name))}
    />
  );
}
