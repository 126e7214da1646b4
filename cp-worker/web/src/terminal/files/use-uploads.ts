// The uploads of a terminal's page: what is on its way, and what becomes of it at the prompt.

import { useEffect, useState, useSyncExternalStore } from "react";
import { toast } from "sonner";
import type { SessionRuntime } from "../session-runtime";
import type { NamedFile } from "./paste";
import { typedPaths } from "./shell-quote";
import { HttpTransport } from "./transfer";
import { Uploads, type Upload } from "./uploads";

export interface PageUploads {
  list: readonly Upload[];
  add(files: NamedFile[]): void;
  cancel(id: number): void;
  retry(id: number): void;
}

/** Where the prompt was when files were given. */
interface Prompt {
  runtime: SessionRuntime | null;
  line: number;
}

export function useUploads(
  gatewayId: string,
  sessionId: number,
  runtime: SessionRuntime | null,
): PageUploads {
  const [uploads] = useState(
    () => new Uploads<Prompt>(new HttpTransport(gatewayId, sessionId), typeOrOffer),
  );
  const list = useSyncExternalStore(uploads.subscribe, uploads.get);
  useEffect(() => () => uploads.dispose(), [uploads]);

  const busy = uploads.busy;
  useEffect(() => {
    if (!busy) return;
    // Only while something would be lost: such a listener keeps pages from the back/forward cache.
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [busy]);

  const prompt = (): Prompt => ({ runtime, line: runtime?.linesTyped ?? 0 });
  return {
    list,
    add: (files) => {
      const problem = files.length === 0 ? null : uploads.add(files, prompt());
      if (problem !== null) toast.error(problem);
    },
    cancel: (id) => uploads.cancel(id),
    retry: (id) => uploads.retry(id, prompt()),
  };
}

/**
 * Types the paths for the controller, if the prompt is still the one that the files were given to.
 * After an Enter another program may read what is typed; then a person decides.
 */
function typeOrOffer(names: string[], { runtime, line }: Prompt): void {
  if (runtime === null) return;
  const type = () => runtime.paste(typedPaths(names));
  if (runtime.isController && runtime.linesTyped === line) return type();
  const what = names.length === 1 ? (names[0] ?? "") : `${names.length} files`;
  toast.success(`Uploaded ${what} to the session's folder.`, {
    ...(runtime.isController && { action: { label: "Type the path", onClick: type } }),
  });
}
