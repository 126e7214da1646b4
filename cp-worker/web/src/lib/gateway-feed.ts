// One watcher socket for each gateway, however many parts of a page follow it.

import { watchGateway, type WatcherHandlers } from "@/link/watcher";

interface Feed {
  followers: Set<WatcherHandlers>;
  stop(): void;
}

const feeds = new Map<string, Feed>();

/** Follows until the returned function is called; the socket lives as long as anybody follows. */
export function followGateway(gatewayId: string, handlers: WatcherHandlers): () => void {
  const feed = feeds.get(gatewayId) ?? open(gatewayId);
  feed.followers.add(handlers);
  return () => {
    feed.followers.delete(handlers);
    // A part that is drawn anew leaves and comes back at once.
    queueMicrotask(() => {
      if (feed.followers.size > 0 || feeds.get(gatewayId) !== feed) return;
      feeds.delete(gatewayId);
      feed.stop();
    });
  };
}

function open(gatewayId: string): Feed {
  const followers = new Set<WatcherHandlers>();
  const stop = watchGateway(gatewayId, {
    onReopen: () => [...followers].forEach((one) => one.onReopen()),
    onMessage: (message) => [...followers].forEach((one) => one.onMessage(message)),
  });
  const feed = { followers, stop };
  feeds.set(gatewayId, feed);
  return feed;
}
