// The key bar's modifiers: held for the next key, or locked until they are pressed again.

import { useRef, useState } from "react";
import { NO_MODIFIERS, press, release, type Latch, type Modifiers } from "./keys";

export type BarModifier = "ctrl" | "alt" | "shift";

export type Latches = Record<BarModifier, Latch>;

const OFF: Latches = { ctrl: "off", alt: "off", shift: "off" };

export function useLatches() {
  const [latches, setLatches] = useState(OFF);
  const latest = useRef(latches);
  latest.current = latches;
  /** The modifiers of a key that is pressed now. */
  const take = (): Modifiers => {
    const { ctrl, alt, shift } = latest.current;
    if (ctrl === "off" && alt === "off" && shift === "off") return NO_MODIFIERS;
    latest.current = { ctrl: release(ctrl), alt: release(alt), shift: release(shift) };
    setLatches(latest.current);
    return { ctrl: ctrl !== "off", alt: alt !== "off", shift: shift !== "off" };
  };
  const toggle = (modifier: BarModifier) =>
    setLatches((now) => ({ ...now, [modifier]: press(now[modifier]) }));
  return { latches, take, toggle };
}
