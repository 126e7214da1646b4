// Keys that an on-screen keyboard lacks. Shown where fingers type.

import {
  ArrowDown,
  ArrowLeft,
  ArrowRight,
  ArrowUp,
  ClipboardPaste,
  Ellipsis,
  Paperclip,
} from "lucide-react";
import { useState, type ReactNode } from "react";
import { BarButton } from "./bar-button";
import type { BarKey } from "./keys";
import type { BarModifier, Latches } from "./use-latches";

interface KeyBarProps {
  latches: Latches;
  onModifier(modifier: BarModifier): void;
  onKey(key: BarKey, shift?: boolean): void;
  onCharacter(character: string): void;
  onPaste(): void;
  onFiles(): void;
}

/** Characters that phones hide two layers deep, by the names that screen readers say. */
const CHARACTERS = { "|": "Pipe", "/": "Slash", "~": "Tilde", "-": "Dash", _: "Underscore", "`": "Backtick" };

const MOVES: [BarKey, string, string][] = [
  ["home", "Home", "Home"],
  ["end", "End", "End"],
  ["page_up", "Page up", "PgUp"],
  ["page_down", "Page down", "PgDn"],
  ["insert", "Insert", "Ins"],
  ["delete", "Delete", "Del"],
];

const FUNCTIONS = Array.from({ length: 12 }, (_, at) => `f${at + 1}` as BarKey);

export function KeyBar(props: KeyBarProps) {
  const { latches, onModifier, onKey } = props;
  const [more, setMore] = useState(false);
  const arrow = (key: BarKey, label: string, icon: ReactNode) => (
    <BarButton label={label} repeats onPress={() => onKey(key)}>
      {icon}
    </BarButton>
  );
  const modifier = (name: BarModifier, label: string) => (
    <BarButton label={label} latch={latches[name]} onPress={() => onModifier(name)}>
      {label}
    </BarButton>
  );
  return (
    <div
      role="toolbar"
      aria-label="Terminal keys"
      data-testid="key-bar"
      className="hidden shrink-0 flex-col gap-1 border-t bg-surface px-1.5 pt-1.5 pb-[max(0.375rem,env(safe-area-inset-bottom))] max-sm:flex pointer-coarse:flex"
    >
      {more && <MoreKeys {...props} />}
      <div className="flex gap-1">
        <BarButton label="Escape" onPress={() => onKey("escape")}>
          Esc
        </BarButton>
        <BarButton label="Tab" onPress={() => onKey("tab")}>
          Tab
        </BarButton>
        <BarButton label="Shift and Tab" onPress={() => onKey("tab", true)}>
          ⇧Tab
        </BarButton>
        {modifier("ctrl", "Ctrl")}
        {modifier("alt", "Alt")}
        {arrow("left", "Left", <ArrowLeft />)}
        {arrow("up", "Up", <ArrowUp />)}
        {arrow("down", "Down", <ArrowDown />)}
        {arrow("right", "Right", <ArrowRight />)}
        <BarButton label="More keys" expanded={more} onPress={() => setMore((now) => !now)}>
          <Ellipsis />
        </BarButton>
      </div>
    </div>
  );
}

function MoreKeys({ latches, onModifier, onKey, onCharacter, onPaste, onFiles }: KeyBarProps) {
  return (
    <>
      <div className="grid grid-cols-6 gap-1">
        {FUNCTIONS.map((key) => (
          <BarButton key={key} low label={key.toUpperCase()} onPress={() => onKey(key)}>
            {key.toUpperCase()}
          </BarButton>
        ))}
      </div>
      <div className="flex gap-1">
        <BarButton label="Shift" latch={latches.shift} onPress={() => onModifier("shift")}>
          Shift
        </BarButton>
        {MOVES.map(([key, label, text]) => (
          <BarButton key={key} label={label} repeats onPress={() => onKey(key)}>
            {text}
          </BarButton>
        ))}
      </div>
      <div className="flex gap-1">
        {Object.entries(CHARACTERS).map(([character, label]) => (
          <BarButton key={label} label={label} onPress={() => onCharacter(character)}>
            <span className="font-mono text-sm">{character}</span>
          </BarButton>
        ))}
        <BarButton label="Files" onTap onPress={onFiles}>
          <Paperclip />
        </BarButton>
        <BarButton label="Paste" onTap onPress={onPaste}>
          <ClipboardPaste />
        </BarButton>
      </div>
    </>
  );
}
