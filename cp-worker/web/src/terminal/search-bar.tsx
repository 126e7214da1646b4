// Finds text in the screen and its history.

import type { SearchAddon } from "@xterm/addon-search";
import { CaseSensitive, ChevronDown, ChevronUp, Regex, WholeWord, X } from "lucide-react";
import { useEffect, useState, type KeyboardEvent } from "react";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";
import { SEARCH_MARKS } from "./themes";

interface SearchBarProps {
  search: SearchAddon;
  tone: "light" | "dark";
  onClose(): void;
}

/** How text is compared, by the names that xterm.js has for it. */
const OPTIONS = {
  caseSensitive: { label: "Match case", icon: CaseSensitive },
  wholeWord: { label: "Whole word", icon: WholeWord },
  regex: { label: "Regular expression", icon: Regex },
};

type OptionName = keyof typeof OPTIONS;

export function SearchBar({ search, tone, onClose }: SearchBarProps) {
  const [text, setText] = useState("");
  const [options, setOptions] = useState({ caseSensitive: false, wholeWord: false, regex: false });
  const [hits, setHits] = useState<{ index: number; count: number } | null>(null);
  const problem = options.regex ? regexProblem(text) : null;

  useEffect(() => {
    const results = search.onDidChangeResults(({ resultIndex, resultCount }) =>
      setHits({ index: resultIndex, count: resultCount }),
    );
    return () => {
      results.dispose();
      search.clearDecorations();
    };
  }, [search]);

  const find = (direction: "next" | "previous", incremental = false) => {
    if (text === "" || problem !== null) return search.clearDecorations();
    const all = { ...options, decorations: SEARCH_MARKS[tone], incremental };
    if (direction === "next") search.findNext(text, all);
    else search.findPrevious(text, all);
  };
  useEffect(() => {
    // The addon keeps its hits while the text is the same, whatever else is wished.
    search.clearDecorations();
    find("previous", true);
  }, [search, text, options, tone]);

  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") onClose();
    else if (event.key === "Enter" && event.target instanceof HTMLInputElement) {
      find(event.shiftKey ? "next" : "previous");
    } else return;
    event.preventDefault();
  };

  return (
    <div
      role="search"
      onKeyDown={onKey}
      className="absolute top-2 right-2 left-2 z-10 flex flex-wrap items-center gap-0.5 rounded-lg border bg-raised p-1 shadow-raised sm:left-auto sm:w-112"
    >
      <div className="flex min-w-full flex-1 items-center sm:min-w-0">
        <input
          data-testid="search-input"
          aria-label="Find in the terminal"
          placeholder="Find"
          autoFocus
          spellCheck={false}
          autoCapitalize="none"
          value={text}
          onChange={(event) => setText(event.target.value)}
          className="h-8 min-w-0 flex-1 bg-transparent px-2.5 text-sm outline-none"
        />
        <span
          aria-live="polite"
          data-testid="search-hits"
          className={cn(
            "px-2 text-xs whitespace-nowrap text-muted-foreground tabular-nums",
            problem !== null && "text-danger",
          )}
        >
          {text !== "" && (problem ?? (hits !== null && hitsText(hits)))}
        </span>
      </div>
      {Object.entries(OPTIONS).map(([name, { label, icon: Icon }]) => (
        <SearchButton
          key={name}
          label={label}
          pressed={options[name as OptionName]}
          onClick={() => setOptions((now) => ({ ...now, [name]: !now[name as OptionName] }))}
          icon={<Icon />}
        />
      ))}
      <span className="flex-1 sm:hidden" />
      <SearchButton label="Older" onClick={() => find("previous")} icon={<ChevronUp />} />
      <SearchButton label="Newer" onClick={() => find("next")} icon={<ChevronDown />} />
      <SearchButton label="Close search" onClick={onClose} icon={<X />} />
    </div>
  );
}

function regexProblem(text: string): string | null {
  try {
    new RegExp(text);
    return null;
  } catch {
    return "Not valid";
  }
}

/** xterm.js marks the first thousand hits; beyond them it does not know which one is shown. */
function hitsText({ index, count }: { index: number; count: number }): string {
  if (count === 0) return "None";
  return index < 0 ? `${count}+` : `${index + 1} of ${count}`;
}

interface SearchButtonProps {
  label: string;
  icon: React.ReactNode;
  /** For what is on or off. */
  pressed?: boolean;
  onClick(): void;
}

function SearchButton({ label, icon, pressed, onClick }: SearchButtonProps) {
  return (
    <Button
      variant="ghost"
      size="icon"
      className={cn("size-8", pressed && "bg-live/15 text-live hover:bg-live/20 hover:text-live")}
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      data-testid={`search-${label.toLowerCase().replaceAll(" ", "-")}`}
      onClick={onClick}
    >
      {icon}
    </Button>
  );
}
