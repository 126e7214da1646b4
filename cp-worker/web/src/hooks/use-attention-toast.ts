// Tells a person on the terminal's page what the session wants, from when it does until seen.

import { useEffect, useRef } from "react";
import { toast } from "sonner";
import { attentionText, type Attention } from "@/lib/attention";

const ID = "attention";

/** Milliseconds for which it stays after somebody has come to look. */
const SEEN_MS = 5_000;

/** @param attention what is wanted; null once a person looks at the page */
export function useAttentionToast(attention: Attention | null): void {
  const shown = useRef<string | null>(null);
  useEffect(() => {
    if (attention !== null) {
      shown.current = attentionText(attention);
      toast.warning(shown.current, { id: ID, duration: Infinity });
    } else if (shown.current !== null) {
      toast.warning(shown.current, { id: ID, duration: SEEN_MS });
      shown.current = null;
    }
  }, [attention]);
  useEffect(() => () => void toast.dismiss(ID), []);
}
