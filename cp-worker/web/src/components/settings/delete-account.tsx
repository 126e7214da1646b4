// The end of an account: what is forgotten, and what is not.

import { useState } from "react";
import { Section } from "@/components/section";
import { Button } from "@/components/ui/button";
import { Row, Rows } from "@/components/ui/rows";
import { TypedConfirmDialog } from "@/components/ui/typed-confirm-dialog";
import { api } from "@/lib/api";

export function DeleteAccountSection({ email }: { email: string }) {
  const [open, setOpen] = useState(false);
  const remove = async () => {
    await api.deleteAccount(email);
    window.location.assign("/");
  };
  return (
    <Section title="Delete account">
      <Rows>
        <Row
          title="Forget all of it"
          detail="Your address, servers, sessions’ names and sign-ins are deleted here. Files and running programs on your machines stay as they are."
        >
          <Button
            variant="outline"
            size="small"
            className="text-danger"
            data-testid="delete-account"
            onClick={() => setOpen(true)}
          >
            Delete account…
          </Button>
        </Row>
      </Rows>
      <TypedConfirmDialog
        open={open}
        onOpenChange={setOpen}
        title="Delete your account?"
        description="This cannot be undone. We forget your address, your servers, the names of your sessions, your connection to DigitalOcean and every sign-in; gateways lose access at once. Nothing on your machines is touched: files stay, and so does what runs. Droplets that were made here must be destroyed first."
        expected={email}
        action="Delete account"
        onConfirm={remove}
      />
    </Section>
  );
}
