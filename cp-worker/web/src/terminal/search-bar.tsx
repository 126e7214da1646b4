// Finds text in the screen and its history.

import type { SearchAddon } from "@xterm/addon-search";
import { ChevronDown, ChevronUp, X } from "lucide-react";
import { useEffect, useState, type KeyboardEvent } from "react";
import { Button } from "@/components/ui/button";
import { useTheme } from "@/hooks/theme";
import { SEARCH_MARKS } from "./themes";

interface SearchBarProps {
  search: SearchAddon;
  onClose(): void;
}

export function SearchBar({ search, onClose }: SearchBarProps) {
  const { shown } = useTheme();
  const [text, setText] = useState("");
  const [hits, setHits] = useState<{ index: number; count: number } | null>(null);

  useEffect(() => {
    const results = search.onDidChangeResults(({ resultIndex, resultCount }) =>
      setHits({ index: resultIndex, count: resultCount }),
    );
    return () => {
      results.dispose();
      search.clearDecorations();
    };
  }, [search]);

  const find = (direction: "next" | "previous", term = text, incremental = false) => {
    const options = { decorations: SEARCH_MARKS[shown], incremental };
    if (term === "") search.clearDecorations();
    else if (direction === "next") search.findNext(term, options);
    else search.findPrevious(term, options);
  };

  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") onClose();
    else if (event.key === "Enter") find(event.shiftKey ? "next" : "previous");
    else return;
    event.preventDefault();
  };

  const found = text !== "" && hits !== null;
  return (
    <div
      role="search"
      className="absolute top-2 right-2 left-2 z-10 flex items-center gap-0.5 rounded-lg border bg-raised p-1 shadow-raised sm:left-auto sm:w-88"
    >
      <input
        data-testid="search-input"
        aria-label="Find in the terminal"
        placeholder="Find"
        autoFocus
        spellCheck={false}
        value={text}
        onKeyDown={onKey}
        onChange={(event) => {
          setText(event.target.value);
          find("previous", event.target.value, true);
        }}
        className="h-8 min-w-0 flex-1 bg-transparent px-2.5 text-sm outline-none"
      />
      <span aria-live="polite" className="px-1.5 text-xs text-muted-foreground tabular-nums">
        {found && (hits.count === 0 ? "None" : `${hits.index + 1} of ${hits.count}`)}
      </span>
      <SearchButton label="Older" onClick={() => find("previous")} icon={<ChevronUp />} />
      <SearchButton label="Newer" onClick={() => find("next")} icon={<ChevronDown />} />
      <SearchButton label="Close search" onClick={onClose} icon={<X />} />
    </div>
  );
}

function SearchButton(props: { label: string; icon: React.ReactNode; onClick(): void }) {
  return (
    <Button
      variant="ghost"
      size="icon"
      className="size-8"
      aria-label={props.label}
      onClick={props.onClick}
    >
      {props.icon}
    </Button>
  );
}
