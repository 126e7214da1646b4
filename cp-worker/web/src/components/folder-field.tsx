// A folder of the workspace: typed, or taken from those that are there.

import { useEffect, useId, useState, type KeyboardEvent } from "react";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { api } from "@/lib/api";
import { cn } from "@/lib/cn";
import { suggestFolders } from "@/lib/folders";

interface FolderFieldProps {
  gatewayId: string;
  value: string;
  onChange(value: string): void;
}

/** The workspace's folders; none while they are not known. */
function useFolders(gatewayId: string): string[] {
  const [folders, setFolders] = useState<string[]>([]);
  useEffect(() => {
    // Suggestions are a help: without them a folder is typed.
    api.folders(gatewayId).then(setFolders, () => undefined);
  }, [gatewayId]);
  return folders;
}

/** Whether Escape should close a list of suggestions rather than the dialog around it. */
export function suggesting(): boolean {
  return document.activeElement?.getAttribute("aria-expanded") === "true";
}

export function FolderField({ gatewayId, value, onChange }: FolderFieldProps) {
  const listId = useId();
  const folders = useFolders(gatewayId);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const shown = open ? suggestFolders(folders, value) : [];
  const close = () => {
    setOpen(false);
    setAt(-1);
  };
  const take = (folder: string) => {
    onChange(folder);
    close();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      setAt((now) => Math.max(-1, Math.min(now + step, shown.length - 1)));
    } else if (event.key === "Enter" && shown[at] !== undefined) {
      event.preventDefault();
      take(shown[at]);
    } else if (event.key === "Escape") {
      close();
    }
  };
  return (
    <div className="relative">
      <Field
        label="Folder"
        hint="Inside the workspace of the server; made when it is missing. Empty: the workspace itself."
      >
        {(ids) => (
          <Input
            {...ids}
            role="combobox"
            aria-expanded={shown.length > 0}
            aria-controls={listId}
            aria-autocomplete="list"
            aria-activedescendant={at >= 0 ? `${listId}-${at}` : undefined}
            data-testid="session-folder"
            placeholder="my-project"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            className="font-mono"
            value={value}
            onFocus={() => setOpen(true)}
            onBlur={close}
            onKeyDown={onKeyDown}
            onChange={(event) => {
              onChange(event.target.value);
              setOpen(true);
              setAt(-1);
            }}
          />
        )}
      </Field>
      <ul
        id={listId}
        role="listbox"
        aria-label="Folders"
        hidden={shown.length === 0}
        className="absolute inset-x-0 top-18 z-10 mt-1 rounded-md border bg-raised p-1 shadow-raised"
      >
        {shown.map((folder, index) => (
          <li
            key={folder}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === at}
            data-testid="folder-option"
            // The field keeps the focus: a pointer only chooses.
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => take(folder)}
            className={cn(
              "cursor-pointer truncate rounded-sm px-2.5 py-1.5 font-mono text-[13px] hover:bg-muted",
              index === at && "bg-muted",
            )}
          >
            {folder}
          </li>
        ))}
      </ul>
    </div>
  );
}
