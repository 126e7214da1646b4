// The uploads of this page: how far they are, cancel, try again.

import { CircleAlert, CircleCheck, RotateCw, X } from "lucide-react";
import { useEffect } from "react";
import { Button } from "@/components/ui/button";
import { formatBytes } from "@/lib/format";
import type { Upload } from "./uploads";
import type { PageUploads } from "./use-uploads";

/** Milliseconds for which a file that has arrived stays in the list. */
const DONE_SHOWN_MS = 4_000;

export function UploadList({ list, cancel, retry }: PageUploads) {
  if (list.length === 0) return null;
  return (
    <ul
      aria-label="Uploads"
      data-testid="uploads"
      className="absolute right-2 bottom-2 left-2 z-10 grid max-h-[50%] gap-px overflow-y-auto rounded-lg border bg-border shadow-raised sm:left-auto sm:w-88"
    >
      {list.map((upload) => (
        <Row
          key={upload.id}
          upload={upload}
          onCancel={() => cancel(upload.id)}
          onRetry={() => retry(upload.id)}
        />
      ))}
    </ul>
  );
}

interface RowProps {
  upload: Upload;
  onCancel(): void;
  onRetry(): void;
}

function Row({ upload, onCancel, onRetry }: RowProps) {
  const { name, state, canRetry } = upload;
  useEffect(() => {
    if (state !== "done") return;
    const timer = window.setTimeout(onCancel, DONE_SHOWN_MS);
    return () => window.clearTimeout(timer);
    // The list is drawn anew for every bit of progress; the file stays the same one.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [state]);
  return (
    <li
      data-testid="upload"
      data-state={state}
      className="flex items-center gap-3 bg-raised py-2 pr-1.5 pl-3.5 text-sm"
    >
      <div className="min-w-0 flex-1">
        <p className="truncate">
          <bdi>{name}</bdi>
        </p>
        <Progress upload={upload} />
      </div>
      {state === "failed" && canRetry && (
        <RowButton label={`Try ${name} again`} id="upload-retry" onClick={onRetry}>
          <RotateCw />
        </RowButton>
      )}
      {state === "done" ? (
        <CircleCheck role="img" aria-label="Uploaded" className="m-2 size-4 shrink-0 text-live" />
      ) : (
        <RowButton
          label={state === "failed" ? `Dismiss ${name}` : `Cancel ${name}`}
          id="upload-cancel"
          onClick={onCancel}
        >
          <X />
        </RowButton>
      )}
    </li>
  );
}

function RowButton(props: {
  label: string;
  id: string;
  onClick(): void;
  children: React.ReactNode;
}) {
  return (
    <Button
      variant="ghost"
      size="icon"
      className="size-8"
      aria-label={props.label}
      data-testid={props.id}
      onClick={props.onClick}
    >
      {props.children}
    </Button>
  );
}

function Progress({ upload: { state, sent, size, problem, name } }: { upload: Upload }) {
  if (state === "failed") {
    return (
      <p role="alert" className="flex items-start gap-1.5 text-xs leading-5 text-danger">
        <CircleAlert aria-hidden className="mt-0.75 size-3.5 shrink-0" />
        {problem}
      </p>
    );
  }
  if (state === "waiting") return <p className="text-xs text-muted-foreground">Waiting</p>;
  if (state === "done") {
    return <p className="text-xs text-muted-foreground">{formatBytes(size)}, in the folder</p>;
  }
  const percent = size === 0 ? 100 : Math.round((sent / size) * 100);
  return (
    <div className="mt-1 flex items-center gap-2.5">
      <div
        role="progressbar"
        aria-label={name}
        aria-valuenow={percent}
        className="h-1 flex-1 overflow-hidden rounded-full bg-muted"
      >
        <div className="h-full rounded-full bg-live" style={{ width: `${percent}%` }} />
      </div>
      <span className="text-xs text-muted-foreground tabular-nums">
        {formatBytes(sent)} of {formatBytes(size)}
      </span>
    </div>
  );
}
