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

export function FolderField({ gatewayId, value, onChange }: FolderFieldProps) {
  const listId = useId();
  const folders = useFolders(gatewayId);
  const [at, setAt] = useState(-1);
  const shown = suggestFolders(folders, value);
  const change = (folder: string) => {
    onChange(folder);
    setAt(-1);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setAt((now) => Math.max(-1, Math.min(now + step, shown.length - 1)));
    } else if (event.key === "Enter" && shown[at] !== undefined) {
      event.preventDefault();
      change(shown[at]);
    }
  };
  return (
    <Field
      label="Folder"
      hint="Inside the workspace of the server; made when it is missing. Empty: the workspace itself."
    >
      {(ids) => (
        <>
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
            onBlur={() => setAt(-1)}
            onKeyDown={onKeyDown}
            onChange={(event) => change(event.target.value)}
          />
          <Suggestions id={listId} folders={shown} at={at} onTake={change} />
        </>
      )}
    </Field>
  );
}

interface SuggestionsProps {
  id: string;
  folders: string[];
  /** Which of them Enter takes; none when negative. */
  at: number;
  onTake(folder: string): void;
}

/** They stand where they are, so that nothing moves away from under a pointer. */
function Suggestions({ id, folders, at, onTake }: SuggestionsProps) {
  return (
    <ul
      id={id}
      role="listbox"
      aria-label="Folders that are there"
      hidden={folders.length === 0}
      className="flex flex-wrap gap-1.5"
    >
      {folders.map((folder, index) => (
        <li
          key={folder}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === at}
          data-testid="folder-option"
          // The field keeps the focus: a pointer only chooses.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onTake(folder)}
          className={cn(
            "max-w-full cursor-pointer truncate rounded-md border bg-surface px-2 py-1 font-mono text-xs hover:bg-muted",
            index === at && "border-ring bg-muted",
          )}
        >
          {folder}
        </li>
      ))}
    </ul>
  );
}
