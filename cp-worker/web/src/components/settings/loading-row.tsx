// A row whose content is under way, or could not be had.

import { Button } from "@/components/ui/button";
import { Row } from "@/components/ui/rows";
import { Skeleton } from "@/components/ui/skeleton";

interface LoadingRowProps {
  problem: string | null;
  onRetry(): void;
}

export function LoadingRow({ problem, onRetry }: LoadingRowProps) {
  return (
    <Row title={problem ?? <Skeleton className="h-5 w-48" />}>
      {problem !== null && (
        <Button variant="outline" size="small" onClick={onRetry}>
          Try again
        </Button>
      )}
    </Row>
  );
}
