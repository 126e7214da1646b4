// A part of a page that follows a gateway's messages.

import { useEffect, useRef } from "react";
import { followGateway } from "@/lib/gateway-feed";
import type { WatcherHandlers } from "@/link/watcher";

/** @param gatewayId null to follow none */
export function useGatewayFeed(gatewayId: string | null, handlers: WatcherHandlers): void {
  const latest = useRef(handlers);
  latest.current = handlers;
  useEffect(() => {
    if (gatewayId === null) return;
    return followGateway(gatewayId, {
      onReopen: () => latest.current.onReopen(),
      onMessage: (message) => latest.current.onMessage(message),
    });
  }, [gatewayId]);
}
