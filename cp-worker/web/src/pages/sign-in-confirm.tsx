// Where the link in the mail leads: one press signs in, so that no scanner of mails does.

import { useEffect, useState } from "react";
import { Link, useLocation, useNavigate } from "react-router";
import { ReturnToPage } from "@/components/return-to-page";
import { SignInFrame, SignInProblem } from "@/components/sign-in-frame";
import { Button } from "@/components/ui/button";
import { useAuth } from "@/hooks/auth";
import { ApiError, api, problemText } from "@/lib/api";

/** The token behind the `#` of the address: servers never see it there. */
function tokenOf(hash: string): string | null {
  const token = new URLSearchParams(hash.replace(/^#/, "")).get("token");
  return token === "" ? null : token;
}

export default function ConfirmPage() {
  const { enter } = useAuth();
  const { hash } = useLocation();
  const navigate = useNavigate();
  const [token, setToken] = useState(() => tokenOf(hash));
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(false);
  const [expired, setExpired] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    document.title = "Sign in · chatcode";
  }, []);
  useEffect(() => {
    // Neither history nor a screenshot keeps it. A second link may come into the same tab.
    if (hash === "") return;
    setToken(tokenOf(hash));
    setExpired(false);
    navigate({ hash: "" }, { replace: true });
  }, [hash, navigate]);

  const confirm = async () => {
    if (token === null) return;
    setBusy(true);
    setProblem(null);
    try {
      enter(await api.confirmLink(token));
      setDone(true);
    } catch (error) {
      if (error instanceof ApiError && error.status === 410) setExpired(true);
      else setProblem(problemText(error));
      setBusy(false);
    }
  };

  if (done) return <ReturnToPage />;
  if (token === null || expired) {
    return (
      <SignInFrame
        title={expired ? "This link no longer works" : "The link is not complete"}
        lead={
          expired
            ? "It has been used already, or is older than ten minutes. Your account is as it was."
            : "Open it from the mail once more, as a whole, or ask for a new one."
        }
      >
        <Button asChild size="large" className="mt-8">
          <Link to="/sign-in" data-testid="new-link">
            Send a new link
          </Link>
        </Button>
      </SignInFrame>
    );
  }
  return (
    <SignInFrame title="Almost there" lead="Continue, and this browser is signed in for 30 days.">
      <div className="mt-8 grid justify-items-start gap-4">
        <SignInProblem text={problem} />
        <Button
          size="large"
          autoFocus
          disabled={busy}
          data-testid="confirm-sign-in"
          onClick={() => void confirm()}
        >
          {busy ? "Signing in…" : "Continue"}
        </Button>
      </div>
    </SignInFrame>
  );
}
