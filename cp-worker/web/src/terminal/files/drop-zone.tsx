// Shows where files that are dragged over the page would go.

import { FileUp } from "lucide-react";

export function DropZone({ folder }: { folder: string }) {
  return (
    <div
      data-testid="drop-zone"
      className="pointer-events-none absolute inset-2 z-20 grid place-items-center rounded-xl border-2 border-dashed border-live bg-background/85"
    >
      <p className="grid justify-items-center gap-3 px-6 text-center">
        <FileUp aria-hidden className="size-8 text-live" />
        <span className="font-semibold">Drop to upload</span>
        <span className="text-sm text-muted-foreground">
          into <span className="font-mono text-[13px]">{folder}</span>, up to 20 MiB a file. The path
          is typed for you.
        </span>
      </p>
    </div>
  );
}
