// What Cloudflare bills of a hub, counted inside workerd: events by their kind, wake-ups, the time in
// which the object cannot hibernate, rows of the database.

/**
 * Takes the place of index.js and passes everything on. A hub counts as active from an event until its
 * handler, its timers and its requests to the database are all done. The clock stands still within an
 * event, so what processors take is not in it; `cost.mjs` adds it from /proc.
 */
export const COUNTING_ENTRY = `
  import Worker, { GatewayHub as Hub } from "./index.js";

  const zero = () => ({
    wakes: 0, fetches: 0, messages: 0, bytes: 0, closes: 0, alarms: 0, alarms_set: 0, timers: 0,
    requests: 0, queries: 0, rows_read: 0, rows_written: 0, storage_written: 0, active_ms: 0,
  });
  let counts = zero();
  let busy = 0;
  let since = 0;

  function enter() {
    if (busy++ === 0) since = Date.now();
  }
  function leave() {
    if (--busy === 0) settle();
  }
  /** Counts the time until now, also of what is still going on. */
  function settle() {
    counts.active_ms += Date.now() - since;
    since = Date.now();
  }
  async function during(work) {
    enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }

  const running = new Set();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  globalThis.setTimeout = (callback, ...rest) => {
    enter();
    counts.timers += 1;
    const timer = set(() => {
      running.delete(timer);
      try { callback(); } finally { leave(); }
    }, ...rest);
    running.add(timer);
    return timer;
  };
  globalThis.clearTimeout = (timer) => {
    clear(timer);
    if (running.delete(timer)) leave();
  };

  function rows(result) {
    for (const one of [result].flat()) {
      counts.rows_read += one?.meta?.rows_read ?? 0;
      counts.rows_written += one?.meta?.rows_written ?? 0;
    }
    return result;
  }
  function wrap(object, names, before) {
    const prototype = Object.getPrototypeOf(object);
    if (Object.hasOwn(prototype, "counted")) return;
    Object.defineProperty(prototype, "counted", { value: true });
    for (const name of names) {
      const inner = prototype[name];
      if (!inner) continue;
      prototype[name] = function (...given) {
        before();
        return during(async () => rows(await inner.apply(this, given)));
      };
    }
  }
  function follow(object, name, count) {
    const prototype = Object.getPrototypeOf(object);
    if (Object.hasOwn(prototype, "counted")) return;
    const inner = prototype[name];
    Object.defineProperty(prototype, "counted", { value: true });
    prototype[name] = function (...given) {
      const result = inner.apply(this, given);
      count(result);
      return result;
    };
  }
  function watch(env) {
    const query = () => void (counts.queries += 1);
    wrap(env.DB, ["batch", "exec"], query);
    wrap(env.DB.prepare("SELECT 1"), ["run", "all", "first", "raw"], query);
  }

  export default class extends Worker {
    fetch(request) {
      if (new URL(request.url).pathname !== "/api/__counts") {
        counts.requests += 1;
        watch(this.env);
        return super.fetch(request);
      }
      if (busy > 0) settle();
      const told = { ...counts, at: Date.now(), busy };
      if (request.method === "DELETE") counts = zero();
      return Response.json(told);
    }
  }

  export class GatewayHub extends Hub {
    constructor(state, env) {
      watch(env);
      follow(state.storage, "setAlarm", () => (counts.alarms_set += 1));
      follow(state.storage.sql, "exec", ({ rowsWritten }) => {
        counts.storage_written += rowsWritten;
      });
      super(state, env);
      counts.wakes += 1;
    }
    fetch(request) {
      counts.fetches += 1;
      return during(() => super.fetch(request));
    }
    alarm() {
      counts.alarms += 1;
      return during(() => super.alarm());
    }
    webSocketMessage(socket, message) {
      counts.messages += 1;
      counts.bytes += message.byteLength ?? message.length;
      enter();
      try { super.webSocketMessage(socket, message); } finally { leave(); }
    }
    webSocketClose(...given) {
      counts.closes += 1;
      enter();
      try { super.webSocketClose(...given); } finally { leave(); }
    }
  }
`;
