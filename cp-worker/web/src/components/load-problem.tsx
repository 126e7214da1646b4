// A page's data could not be fetched.

import { CloudOff } from "lucide-react";
import { EmptyState } from "@/components/empty-state";
import { Button } from "@/components/ui/button";

export function LoadProblem({ text, onRetry }: { text: string; onRetry(): void }) {
  return (
    <div role="alert">
      <EmptyState
        icon={CloudOff}
        title="This could not be loaded"
        action={
          <Button variant="outline" onClick={onRetry}>
            Try again
          </Button>
        }
      >
        {text}
      </EmptyState>
    </div>
  );
}
