// The service worker: the app's shell also opens without a network, and says that there is none.
//
// It never keeps an answer of the API and never shows an old page while the network is there: pages
// come from the network first, files with a hash in their name from the cache first. The build fills
// in the list of the shell's files and its own number, so that each deployment has its own cache.

const CACHE = "chatcode-__BUILD__";

/** The app's page, by an address that is no file: "/" may be the landing page. */
const PAGE = "/sign-in";

/** What the shell needs to say that it is offline. */
const SHELL = __SHELL__;

/** Not pages of the app, though a browser may go there. */
const NOT_OURS = /^\/(api|gateway)\/|^\/install\.sh$/;

self.addEventListener("install", (event) => {
  const requests = [PAGE, ...SHELL].map((path) => new Request(path, { cache: "no-cache" }));
  const fill = async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll(requests);
    await self.skipWaiting();
  };
  event.waitUntil(fill());
});

self.addEventListener("activate", (event) => {
  const takeOver = async () => {
    const names = await caches.keys();
    const old = names.filter((name) => name.startsWith("chatcode-") && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(takeOver());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin || NOT_OURS.test(pathname)) {
    return;
  }
  if (request.mode === "navigate") event.respondWith(networkFirst(request, PAGE));
  else if (pathname.startsWith("/assets/")) event.respondWith(cacheFirst(request));
  else if (SHELL.includes(pathname)) event.respondWith(networkFirst(request, pathname));
});

async function networkFirst(request, fallback) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(fallback, { cacheName: CACHE });
    if (kept === undefined) throw error;
    return kept;
  }
}

async function cacheFirst(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept !== undefined) return kept;
  const response = await fetch(request);
  const type = response.headers.get("content-type") ?? "";
  // A page in place of a file would be kept as that file.
  if (response.status === 200 && !type.startsWith("text/html")) {
    // A full disk keeps nothing; the page gets its file all the same.
    await cache.put(request, response.clone()).catch(() => undefined);
  }
  return response;
}
