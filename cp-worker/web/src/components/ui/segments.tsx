// A choice of a few, side by side.

import { RadioGroup } from "radix-ui";
import type { ReactNode } from "react";

interface SegmentsProps<Value extends string> {
  label: string;
  value: Value;
  options: readonly { value: Value; label: ReactNode }[];
  onChange(value: Value): void;
  /** Each option's test id is this and its value. */
  testId?: string;
}

export function Segments<Value extends string>(props: SegmentsProps<Value>) {
  return (
    <RadioGroup.Root
      aria-label={props.label}
      orientation="horizontal"
      value={props.value}
      onValueChange={(value) => props.onChange(value as Value)}
      className="flex rounded-lg border bg-muted p-0.5"
    >
      {props.options.map(({ value, label }) => (
        <RadioGroup.Item
          key={value}
          value={value}
          data-testid={props.testId && `${props.testId}-${value}`}
          className="inline-flex h-8 items-center gap-1.5 rounded-md px-3 text-[13px] font-medium text-muted-foreground outline-none hover:text-foreground focus-visible:ring-2 focus-visible:ring-ring data-[state=checked]:bg-background data-[state=checked]:text-foreground data-[state=checked]:shadow-xs [&_svg]:size-4"
        >
          {label}
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}
