// How the terminal looks and behaves in this browser: text size, theme, copying, screen readers.

import { Minus, Plus } from "lucide-react";
import { RadioGroup } from "radix-ui";
import { useId, type ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Switch } from "@/components/ui/switch";
import { usePreferences } from "@/hooks/preferences";
import { useTheme, type ThemeChoice } from "@/hooks/theme";
import { TERMINAL_THEME_NAMES } from "./themes";

const APP_THEMES: { name: ThemeChoice; label: string }[] = [
  { name: "light", label: "Light" },
  { name: "dark", label: "Dark" },
  { name: "system", label: "System" },
];

interface ViewDialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  onCloseAutoFocus(event: Event): void;
  /** CSS pixels that text has now. */
  fontSize: number;
  onFontSize(action: "larger" | "smaller" | "usual_size"): void;
}

export function ViewDialog(props: ViewDialogProps) {
  const { open, onOpenChange, onCloseAutoFocus, fontSize, onFontSize } = props;
  const [preferences, change] = usePreferences();
  const { choice, choose } = useTheme();
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent
        data-testid="view-dialog"
        onCloseAutoFocus={onCloseAutoFocus}
        title="Text size, theme"
        description="For every terminal in this browser."
      >
        <div className="grid gap-5">
          <Row label="Text size">
            <FontSize size={fontSize} onChange={onFontSize} isUsual={preferences.fontSize === null} />
          </Row>
          <Choices
            label="Terminal"
            prefix="terminal-theme"
            value={preferences.terminalTheme}
            choices={TERMINAL_THEME_NAMES}
            onChange={(terminalTheme) => change({ terminalTheme })}
          />
          <Choices
            label="App"
            prefix="theme"
            value={choice}
            choices={APP_THEMES}
            onChange={(name) => choose(name as ThemeChoice)}
          />
          <Toggle
            label="Copy on select"
            hint="What you select with the mouse is in the clipboard at once."
            id="copy-on-select"
            on={preferences.copyOnSelect}
            onChange={(copyOnSelect) => change({ copyOnSelect })}
          />
          <Toggle
            label="Screen reader"
            hint="The terminal reads aloud what is printed, and its lines can be walked through."
            id="screen-reader"
            on={preferences.screenReader}
            onChange={(screenReader) => change({ screenReader })}
          />
        </div>
      </DialogContent>
    </Dialog>
  );
}

function Row({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div role="group" aria-label={label} className="flex items-center justify-between gap-4">
      <span className="text-sm font-medium">{label}</span>
      {children}
    </div>
  );
}

interface FontSizeProps {
  size: number;
  isUsual: boolean;
  onChange: ViewDialogProps["onFontSize"];
}

function FontSize({ size, isUsual, onChange }: FontSizeProps) {
  const button = (label: string, action: "larger" | "smaller", icon: ReactNode) => (
    <Button
      variant="outline"
      size="icon"
      aria-label={label}
      data-testid={`text-${action}`}
      onClick={() => onChange(action)}
    >
      {icon}
    </Button>
  );
  return (
    <span className="flex items-center gap-2">
      <Button
        variant="ghost"
        size="small"
        className={isUsual ? "invisible" : ""}
        onClick={() => onChange("usual_size")}
      >
        Usual
      </Button>
      {button("Smaller text", "smaller", <Minus />)}
      <output data-testid="text-size" className="w-12 text-center text-sm tabular-nums">
        {size} px
      </output>
      {button("Larger text", "larger", <Plus />)}
    </span>
  );
}

interface ChoicesProps {
  label: string;
  prefix: string;
  value: string;
  choices: readonly { name: string; label: string }[];
  onChange(name: string): void;
}

function Choices({ label, prefix, value, choices, onChange }: ChoicesProps) {
  return (
    <div className="grid gap-2">
      <span className="text-sm font-medium">{label}</span>
      <RadioGroup.Root
        aria-label={label}
        value={value}
        onValueChange={onChange}
        className="flex flex-wrap gap-2"
      >
        {choices.map((choice) => (
          <RadioGroup.Item
            key={choice.name}
            value={choice.name}
            data-testid={`${prefix}-${choice.name}`}
            className="h-9 rounded-md border border-input bg-surface px-3.5 text-sm outline-none hover:bg-muted focus-visible:ring-2 focus-visible:ring-ring data-[state=checked]:border-live data-[state=checked]:bg-live/8"
          >
            {choice.label}
          </RadioGroup.Item>
        ))}
      </RadioGroup.Root>
    </div>
  );
}

interface ToggleProps {
  label: string;
  hint: string;
  id: string;
  on: boolean;
  onChange(on: boolean): void;
}

function Toggle({ label, hint, id, on, onChange }: ToggleProps) {
  const labelId = useId();
  return (
    <div className="flex items-center justify-between gap-6">
      <div>
        <label htmlFor={labelId} className="text-sm font-medium">
          {label}
        </label>
        <p id={`${labelId}-hint`} className="text-[13px] leading-snug text-muted-foreground">
          {hint}
        </p>
      </div>
      <Switch
        id={labelId}
        aria-describedby={`${labelId}-hint`}
        data-testid={id}
        checked={on}
        onCheckedChange={onChange}
      />
    </div>
  );
}
