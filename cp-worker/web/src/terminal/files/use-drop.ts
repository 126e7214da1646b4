// Files that are dragged over the page: whether there are any, and those that are dropped.

import { useEffect, useRef, useState } from "react";
import { toast } from "sonner";
import { takeDrop, type NamedFile } from "./paste";

/** @returns whether files are over the page now */
export function useDrop(enabled: boolean, onFiles: (files: NamedFile[]) => void): boolean {
  const [over, setOver] = useState(false);
  const latest = useRef(onFiles);
  useEffect(() => {
    latest.current = onFiles;
  });
  useEffect(() => {
    const ending = new AbortController();
    /** Elements that the drag is in: it enters one before it leaves the one around it. */
    let depth = 0;
    const count = (next: number) => {
      depth = Math.max(0, next);
      setOver(enabled && depth > 0);
    };
    const listen = (name: "dragenter" | "dragover" | "dragleave" | "drop", on: (event: DragEvent) => void) =>
      window.addEventListener(
        name,
        (event) => {
          if (event.dataTransfer?.types.includes("Files") !== true) return;
          // Also where nothing can be dropped: the browser would open the file in our place.
          event.preventDefault();
          on(event);
        },
        { signal: ending.signal },
      );
    listen("dragenter", () => count(depth + 1));
    listen("dragleave", () => count(depth - 1));
    listen("dragover", ({ dataTransfer }) => {
      if (dataTransfer !== null) dataTransfer.dropEffect = enabled ? "copy" : "none";
    });
    listen("drop", ({ dataTransfer }) => {
      count(0);
      if (!enabled || dataTransfer === null) return;
      const { files, hasFolder } = takeDrop(dataTransfer);
      if (hasFolder) toast.warning("Folders cannot be uploaded. Send one as an archive.");
      latest.current(files);
    });
    return () => ending.abort();
  }, [enabled]);
  return over;
}
