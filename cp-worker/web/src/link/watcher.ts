// Follows one gateway: its messages as they come, and when the picture must be fetched anew.

import { serverPath } from "@/lib/api";
import type { HubToWatcher } from "@/protocol/generated/browser";
import { Link, type LinkEvent, type LinkTimer } from "./link";
import { SocketShell, type ShellEvent } from "./socket-shell";

export interface WatcherHandlers {
  /** The socket opened again: what happened in between is unknown. */
  onReopen(): void;
  onMessage(message: HubToWatcher): void;
}

/** Watches until the returned function is called. */
export function watchGateway(gatewayId: string, handlers: WatcherHandlers): () => void {
  const link = new Link(Math.random);
  let opened = false;
  const handle = (event: LinkEvent) => {
    for (const effect of link.handle(event, performance.now())) shell.apply(effect);
  };
  const onEvent = (event: ShellEvent<LinkTimer>) => {
    if (event.type !== "text" && event.type !== "binary") {
      handle(event);
      if (event.type === "opened" && opened) handlers.onReopen();
      opened ||= event.type === "opened";
      return;
    }
    handle({ type: "received" });
    if (event.type === "text" && event.text !== "pong") handlers.onMessage(JSON.parse(event.text));
  };
  const shell = new SocketShell<LinkTimer>(`${serverPath(gatewayId)}/socket`, onEvent);
  handle({ type: "start" });
  return () => shell.dispose();
}
