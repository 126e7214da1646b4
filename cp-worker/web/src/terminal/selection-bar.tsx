// What can be done with text that a finger has selected.

import { ClipboardPaste, Copy, Download, TextSelect } from "lucide-react";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";

interface SelectionBarProps {
  /** Out of the way of what is selected. */
  atTop: boolean;
  /** Whether what is selected may be a file's path. */
  isPath: boolean;
  onCopy(): void;
  onPaste(): void;
  onSelectAll(): void;
  onDownload(): void;
}

export function SelectionBar({ atTop, isPath, ...on }: SelectionBarProps) {
  return (
    <div
      role="toolbar"
      aria-label="Selected text"
      data-testid="selection-bar"
      // The focus stays where it is, and the keyboard as it is.
      onPointerDown={(event) => event.preventDefault()}
      className={cn(
        "absolute inset-x-0 z-10 mx-auto flex w-fit max-w-[96%] rounded-lg border bg-raised p-1 shadow-raised",
        atTop ? "top-2" : "bottom-2",
      )}
    >
      <Button variant="ghost" size="small" data-testid="selection-copy" onClick={on.onCopy}>
        <Copy /> Copy
      </Button>
      <Button variant="ghost" size="small" onClick={on.onPaste}>
        <ClipboardPaste /> Paste
      </Button>
      <Button variant="ghost" size="small" onClick={on.onSelectAll}>
        <TextSelect /> All
      </Button>
      {isPath && (
        <Button variant="ghost" size="small" onClick={on.onDownload}>
          <Download /> Save
        </Button>
      )}
    </div>
  );
}
