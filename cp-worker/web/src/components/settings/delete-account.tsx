// The end of an account: what is forgotten, and what is not.

import { useState } from "react";
import { FormDialog } from "@/components/dialog-form";
import { Section } from "@/components/section";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Row, Rows } from "@/components/ui/rows";
import { api } from "@/lib/api";

export function DeleteAccountSection({ email }: { email: string }) {
  const [open, setOpen] = useState(false);
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
      <DeleteDialog email={email} open={open} onOpenChange={setOpen} />
    </Section>
  );
}

interface DeleteDialogProps {
  email: string;
  open: boolean;
  onOpenChange(open: boolean): void;
}

function DeleteDialog({ email, open, onOpenChange }: DeleteDialogProps) {
  const [typed, setTyped] = useState("");
  const change = (next: boolean) => {
    setTyped("");
    onOpenChange(next);
  };
  const remove = async () => {
    await api.deleteAccount(typed);
    window.location.assign("/");
  };
  return (
    <FormDialog
      open={open}
      onOpenChange={change}
      title="Delete your account?"
      description="This cannot be undone. We forget your address, your servers, the names of your sessions, your connection to DigitalOcean and every sign-in; gateways lose access at once. Nothing on your machines is touched: files stay, and so does what runs. Droplets that were made here must be destroyed first."
      action="Delete account"
      busyAction="One moment…"
      danger
      ready={typed === email}
      testId="confirm"
      onSubmit={remove}
    >
      <Field
        label={
          <>
            Type <b className="font-semibold wrap-anywhere">{email}</b> to confirm
          </>
        }
      >
        {(ids) => (
          <Input
            {...ids}
            data-testid="delete-email"
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
