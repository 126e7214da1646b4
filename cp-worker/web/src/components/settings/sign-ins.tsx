// The browsers that are signed in, and how to throw them out.

import { useState } from "react";
import { toast } from "sonner";
import { Section } from "@/components/section";
import { LoadingRow } from "@/components/settings/loading-row";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Row, Rows } from "@/components/ui/rows";
import { useLoaded } from "@/hooks/use-loaded";
import { useNow } from "@/hooks/use-now";
import { api, problemText, type SignIn } from "@/lib/api";
import { formatAgo, formatDate } from "@/lib/format";
import { browserName } from "@/lib/user-agent";

export function SignInsSection() {
  const { value: signIns, problem, reload } = useLoaded(api.signIns);
  const [everywhere, setEverywhere] = useState(false);
  const signOutEverywhere = async () => {
    await api.signOutEverywhere();
    window.location.assign("/");
  };
  return (
    <Section
      title="Where you are signed in"
      description="Each browser that may see your servers. One that you sign out loses its terminals at once."
      action={
        <Button
          variant="outline"
          size="small"
          data-testid="sign-out-everywhere"
          onClick={() => setEverywhere(true)}
        >
          Sign out everywhere…
        </Button>
      }
    >
      <Rows>
        {signIns === null ? (
          <LoadingRow problem={problem} onRetry={() => void reload()} />
        ) : (
          signIns.map((signIn) => (
            <SignInRow key={signIn.sign_in_id} signIn={signIn} onEnded={() => void reload()} />
          ))
        )}
      </Rows>
      <ConfirmDialog
        open={everywhere}
        onOpenChange={setEverywhere}
        title="Sign out everywhere?"
        description="Every browser is signed out at once, this one too. Sessions go on, on your servers."
        action="Sign out everywhere"
        onConfirm={signOutEverywhere}
      />
    </Section>
  );
}

function SignInRow({ signIn, onEnded }: { signIn: SignIn; onEnded(): void }) {
  const now = useNow();
  const [busy, setBusy] = useState(false);
  const name = browserName(signIn.user_agent);
  const end = async () => {
    setBusy(true);
    try {
      await api.endSignIn(signIn.sign_in_id);
      onEnded();
    } catch (error) {
      toast.error(problemText(error));
      setBusy(false);
    }
  };
  return (
    <Row
      title={name}
      detail={`Since ${formatDate(signIn.created_at)}, last seen ${formatAgo(signIn.last_seen_at, now)}`}
      data-testid="sign-in-row"
      data-current={signIn.current}
    >
      {signIn.current ? (
        <Badge tone="live">This browser</Badge>
      ) : (
        <Button
          variant="outline"
          size="small"
          disabled={busy}
          aria-label={`Sign out ${name}`}
          data-testid="end-sign-in"
          onClick={() => void end()}
        >
          Sign out
        </Button>
      )}
    </Row>
  );
}
