// An address that leads nowhere.

import { Link } from "react-router";
import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";

export function NotFoundPage({ what = "page" }: { what?: string }) {
  return (
    <Page>
      <div className="grid justify-items-start gap-4 py-16">
        <p className="font-mono text-sm text-muted-foreground">404</p>
        <h1 className="text-2xl font-semibold tracking-tight">There is no such {what}.</h1>
        <Button asChild variant="outline">
          <Link to="/">Back to your servers</Link>
        </Button>
      </div>
    </Page>
  );
}
