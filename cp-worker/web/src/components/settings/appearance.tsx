// How the app and its terminals look and behave in this browser.

import { Minus, Monitor, Moon, Plus, Sun } from "lucide-react";
import { useId } from "react";
import { Section } from "@/components/section";
import { Button } from "@/components/ui/button";
import { Row, Rows } from "@/components/ui/rows";
import { Segments } from "@/components/ui/segments";
import { Select } from "@/components/ui/select";
import { Switch } from "@/components/ui/switch";
import { usePreferences } from "@/hooks/preferences";
import { FONT_SIZES, type Preferences } from "@/lib/preferences";
import { TERMINAL_THEME_NAMES } from "@/terminal/themes";

/** Where stepping begins while the window decides, in CSS pixels. */
const USUAL_FONT_SIZE = 14;

const THEMES = [
  {
    value: "light",
    label: (
      <>
        <Sun aria-hidden />
        Light
      </>
    ),
  },
  {
    value: "dark",
    label: (
      <>
        <Moon aria-hidden />
        Dark
      </>
    ),
  },
  {
    value: "system",
    label: (
      <>
        <Monitor aria-hidden />
        System
      </>
    ),
  },
] as const;

export function AppearanceSection() {
  const [chosen, change] = usePreferences();
  const colours = useId();
  return (
    <Section title="Appearance" description="For this browser alone.">
      <Rows>
        <Row title="Theme">
          <Segments
            label="Theme"
            testId="settings-theme"
            value={chosen.theme}
            options={THEMES}
            onChange={(theme) => change({ theme })}
          />
        </Row>
        <FontSizeRow size={chosen.fontSize} onChange={(fontSize) => change({ fontSize })} />
        <Row title={<label htmlFor={colours}>Terminal colours</label>}>
          <div className="w-44">
            <Select
              id={colours}
              data-testid="settings-terminal-theme"
              value={chosen.terminalTheme}
              onChange={(event) => change({ terminalTheme: event.target.value })}
            >
              {TERMINAL_THEME_NAMES.map(({ name, label }) => (
                <option key={name} value={name}>
                  {label}
                </option>
              ))}
            </Select>
          </div>
        </Row>
        <SwitchRow
          field="copyOnSelect"
          title="Copy on select"
          detail="What you select in a terminal is copied at once."
          chosen={chosen}
          change={change}
        />
        <SwitchRow
          field="screenReader"
          title="Screen reader support"
          detail="Terminals also keep their text where a screen reader finds it; that costs some speed."
          chosen={chosen}
          change={change}
        />
      </Rows>
    </Section>
  );
}

interface FontSizeRowProps {
  size: number | null;
  onChange(size: number | null): void;
}

function FontSizeRow({ size, onChange }: FontSizeRowProps) {
  const shown = size ?? USUAL_FONT_SIZE;
  return (
    <Row title="Terminal font size" detail="Automatic is a little smaller on narrow windows.">
      <div className="flex items-center gap-1.5">
        {size !== null && (
          <Button variant="ghost" size="small" onClick={() => onChange(null)}>
            Automatic
          </Button>
        )}
        <Button
          variant="outline"
          size="icon"
          aria-label="Smaller"
          disabled={shown <= FONT_SIZES.least}
          onClick={() => onChange(shown - 1)}
        >
          <Minus />
        </Button>
        <output
          data-testid="font-size"
          className="min-w-20 text-center font-mono text-[13px] tabular-nums"
        >
          {size === null ? "automatic" : `${size} px`}
        </output>
        <Button
          variant="outline"
          size="icon"
          aria-label="Larger"
          disabled={shown >= FONT_SIZES.most}
          onClick={() => onChange(shown + 1)}
        >
          <Plus />
        </Button>
      </div>
    </Row>
  );
}

interface SwitchRowProps {
  field: "copyOnSelect" | "screenReader";
  title: string;
  detail: string;
  chosen: Preferences;
  change(changes: Partial<Preferences>): void;
}

function SwitchRow({ field, title, detail, chosen, change }: SwitchRowProps) {
  const id = useId();
  return (
    <Row title={<label htmlFor={id}>{title}</label>} detail={detail}>
      <Switch
        id={id}
        data-testid={`settings-${field}`}
        checked={chosen[field]}
        onCheckedChange={(on) => change({ [field]: on })}
      />
    </Row>
  );
}
