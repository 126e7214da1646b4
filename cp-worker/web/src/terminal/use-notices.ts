// What the session's state machine has to say to a person, not more often than one can read.

import { useRef } from "react";
import { toast } from "sonner";
import type { Notice } from "./session-types";

/** Milliseconds for which the same notice is not shown again: every key in vain makes one. */
const NOTICE_PAUSE_MS = 3_000;

export function useNotices(): (notice: Notice) => void {
  const shownAt = useRef(new Map<string, number>());
  return ({ code, message }) => {
    const now = Date.now();
    if (now - (shownAt.current.get(code) ?? 0) < NOTICE_PAUSE_MS) return;
    shownAt.current.set(code, now);
    toast.warning(message, { id: code });
  };
}
