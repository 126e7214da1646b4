// The page's side of the service worker, and of deployments that come while it is open.

const RELOADED_KEY = "chatcode.reloaded-at";

/** Milliseconds in which a page reloads itself once: a second time would not help. */
const RELOAD_PAUSE_MS = 60_000;

/** A part of the app that is loaded later is gone: there is a new version, so take that. */
function reloadOnce(event: Event): void {
  const last = Number(sessionStorage.getItem(RELOADED_KEY));
  if (!navigator.onLine || Date.now() - last < RELOAD_PAUSE_MS) return;
  sessionStorage.setItem(RELOADED_KEY, String(Date.now()));
  event.preventDefault();
  window.location.reload();
}

export function startServiceWorker(): void {
  window.addEventListener("vite:preloadError", reloadOnce);
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  // After the page: it needs the line more.
  const register = () => void navigator.serviceWorker.register("/sw.js").catch(() => undefined);
  if (document.readyState === "complete") register();
  else window.addEventListener("load", register, { once: true });
}
