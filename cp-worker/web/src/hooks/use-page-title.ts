// The page's title, and the marks that tell from afar that sessions want a person.

import { useEffect } from "react";
import { markedTitle } from "@/lib/attention";

const ICONS = { calm: "/icon.svg", wanting: "/icon-attention.svg" };

/**
 * Shows a title of this page while it is there.
 *
 * @param count sessions that want a person, for the title, the icon and the app's badge
 */
export function usePageTitle(title: string, count: number): void {
  useEffect(() => {
    document.title = markedTitle(`${title} · chatcode`, count);
  }, [title, count]);
  useEffect(() => {
    mark(count);
    return () => mark(0);
  }, [count]);
  useEffect(
    () => () => {
      document.title = "chatcode";
    },
    [],
  );
}

function mark(count: number): void {
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  icon?.setAttribute("href", count > 0 ? ICONS.wanting : ICONS.calm);
  // Only where the app is installed, and not in every browser.
  if (!("setAppBadge" in navigator)) return;
  const marked = count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge();
  marked.catch(() => undefined);
}
