// Real Chromium behind a pipe: one JSON order a line on stdin, one JSON answer a line on stdout.
//
// An order is {page, do, …}; pages are named by the asker and live in contexts of their own, as if
// each were another person's browser. An answer is {ok: value} or {error: text}.

import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import { dumpTerminal } from './dump.mjs';

const EXECUTABLE = process.env.CHATCODE_CHROMIUM ?? '/usr/bin/chromium';
const HEADER_BYTES = 9;

const browser = await chromium.launch({
  executablePath: EXECUTABLE,
  headless: true,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});

const pages = new Map();

/** Counts the output frames that a page gets, and looks for gaps and duplicates. */
class Frames {
  constructor() {
    this.mark();
    this.next = undefined;
  }

  mark() {
    this.bytes = 0;
    this.wrong = 0;
    this.hash = createHash('sha256');
  }

  take(payload) {
    if (typeof payload === 'string') {
      // After a snapshot or a replay the stream goes on from another place.
      if (/"type":"session\.(snapshot|replay)"/.test(payload)) this.next = undefined;
      return;
    }
    if (payload[0] !== 1) return;
    const seq = payload.readUInt32BE(5);
    if (this.next !== undefined && this.next !== seq) this.wrong += 1;
    const body = payload.subarray(HEADER_BYTES);
    this.next = (seq + body.length) >>> 0;
    this.bytes += body.length;
    this.hash.update(body);
  }

  report() {
    return { bytes: this.bytes, wrong: this.wrong, sha256: this.hash.copy().digest('hex') };
  }
}

async function open({ page: name, url, width, height, scheme }) {
  const context = await browser.newContext({
    viewport: { width: width ?? 1280, height: height ?? 800 },
    colorScheme: scheme ?? 'dark',
  });
  const page = await context.newPage();
  const frames = new Frames();
  const problems = [];
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => frames.take(payload)),
  );
  page.on('pageerror', (error) => problems.push(String(error)));
  pages.set(name, { context, page, frames, problems });
  await page.goto(url);
}

const DEEDS = {
  goto: ({ page }, { url }) => page.goto(url).then(() => null),
  reload: ({ page }) => page.reload().then(() => null),
  url: async ({ page }) => page.url(),
  click: ({ page }, { selector }) => page.click(selector).then(() => null),
  focus: ({ page }, { selector }) => page.focus(selector).then(() => null),
  fill: ({ page }, { selector, text }) => page.fill(selector, text).then(() => null),
  type: ({ page }, { text }) => page.keyboard.type(text).then(() => null),
  press: ({ page }, { key }) => page.keyboard.press(key).then(() => null),
  wait: ({ page }, { selector, state }) =>
    page.waitForSelector(selector, { state: state ?? 'visible' }).then(() => null),
  attribute: ({ page }, { selector, name }) => page.getAttribute(selector, name),
  text: ({ page }, { selector }) => page.textContent(selector),
  count: ({ page }, { selector }) => page.locator(selector).count(),
  size: ({ page }, { width, height }) => page.setViewportSize({ width, height }).then(() => null),
  offline: ({ context }, { on }) => context.setOffline(on).then(() => null),
  screenshot: ({ page }, { path }) => page.screenshot({ path }).then(() => null),
  // The promise is not awaited: the page is busy and cannot answer.
  hang: async ({ page }, { ms }) => {
    const busy = `(() => { const end = Date.now() + ${ms}; while (Date.now() < end); })()`;
    page.evaluate(busy).catch(() => {});
    return null;
  },
  run: ({ page }, { script }) => page.evaluate(script),
  dump: ({ page }) =>
    page.evaluate(
      `window.chatcodeTerminal ? (${dumpTerminal.toString()})(window.chatcodeTerminal) : null`,
    ),
  mark: async ({ frames }) => frames.mark() ?? null,
  frames: async ({ frames }) => frames.report(),
  problems: async ({ problems }) => problems,
};

async function obey(order) {
  if (order.do === 'open') return open(order);
  const it = pages.get(order.page);
  if (!it) throw new Error(`no page ${order.page}`);
  return DEEDS[order.do](it, order);
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = { ok: (await obey(JSON.parse(line))) ?? null };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
process.exit(0);
