// Real Chromium behind a pipe: one JSON order a line on stdin, one JSON answer a line on stdout.
//
// An order is {page, do, …}; pages are named by the asker and live in contexts of their own, as if
// each were another person's browser. An answer is {ok: value} or {error: text}.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import { dumpTerminal } from './dump.mjs';

const EXECUTABLE = process.env.CHATCODE_CHROMIUM ?? '/usr/bin/chromium';
const HEADER_BYTES = 9;

/** Milliseconds that a page may take to do or show something, as `PATIENCE` of the tests. */
const PATIENCE_MS = 60_000;

const browser = await chromium.launch({
  executablePath: EXECUTABLE,
  headless: true,
  // Playwright switches the back/forward cache off; a test of it wants what people have.
  ignoreDefaultArgs: process.argv.includes('--bfcache') ? ['--disable-back-forward-cache'] : [],
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

async function open({ page: name, url, width, height, scheme, phone }) {
  const context = await browser.newContext({
    viewport: { width: width ?? 1280, height: height ?? 800 },
    colorScheme: scheme ?? 'dark',
    // One pixel to each of CSS: with more, the emulation tells canvases a size that is none.
    ...(phone && { hasTouch: true, isMobile: true }),
  });
  context.setDefaultTimeout(PATIENCE_MS);
  // As a person who was asked and said yes.
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await context.newPage();
  const frames = new Frames();
  const problems = [];
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => frames.take(payload)),
  );
  page.on('pageerror', (error) => problems.push(String(error)));
  // The browser tells of what it did not apply or load only here.
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) problems.push(message.text());
  });
  const opened = [];
  context.on('page', (other) => opened.push(other));
  pages.set(name, { context, page, frames, problems, opened });
  await page.goto(url);
}

/** The middle of what a selector finds, and its size. */
async function place(page, selector) {
  const box = await page.locator(selector).first().boundingBox();
  if (!box) throw new Error(`${selector} is not on the screen`);
  return { ...box, x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** Fingers: where each is at each moment, in CSS pixels; `hold` milliseconds at the first place. */
async function fingers({ context, page }, moments, { hold = 0, pause = 16 } = {}) {
  const session = await context.newCDPSession(page);
  // A finger's speed must not depend on how busy this machine is: its moments are told.
  const began = Date.now();
  let moved = 0;
  const touch = (type, points) =>
    session.send('Input.dispatchTouchEvent', {
      type,
      timestamp: (began + hold + moved) / 1000,
      touchPoints: points.map(([x, y], id) => ({ x, y, id })),
    });
  await touch('touchStart', moments[0]);
  if (hold > 0) await page.waitForTimeout(hold);
  for (const points of moments.slice(1)) {
    moved += pause;
    await touch('touchMove', points);
    await page.waitForTimeout(pause);
  }
  await touch('touchEnd', []);
  await session.detach();
  return null;
}

/** Steps from one number to another, both included. */
function steps(from, to, count) {
  return Array.from({ length: count + 1 }, (_, at) => from + ((to - from) * at) / count);
}

/** A `DataTransfer` of the page with files of this machine: [{path, name, type}]. */
async function transferOf(page, files) {
  const read = async ({ path, name, type }) => ({
    name,
    type: type ?? '',
    base64: (await readFile(path)).toString('base64'),
  });
  return page.evaluateHandle((all) => {
    const transfer = new DataTransfer();
    for (const { name, type, base64 } of all) {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      transfer.items.add(new File([bytes], name, { type }));
    }
    return transfer;
  }, await Promise.all(files.map(read)));
}

/** What axe finds wrong with the page as it is, from serious on: rule, impact and places. */
async function accessibility(page) {
  const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  await page.evaluate(await readFile(axe, 'utf8'));
  return page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    return grave.map(({ id, impact, nodes }) => ({
      id,
      impact,
      nodes: nodes.map(({ target, failureSummary }) => `${target.join(' ')}: ${failureSummary}`),
    }));
  });
}

/** Why the browser would not install the page as an app; our profiles are always private ones. */
async function installability({ context, page }) {
  const session = await context.newCDPSession(page);
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  await session.detach();
  return installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito');
}

const DEEDS = {
  accessibility: ({ page }) => accessibility(page),
  installability,
  scheme: ({ page }, { scheme }) => page.emulateMedia({ colorScheme: scheme }).then(() => null),
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
  screenshot: ({ page }, { path }) => page.screenshot({ path, animations: 'disabled' }).then(() => null),
  // A drag in three steps, so that a test can look at the page in the middle of it.
  drag: async ({ page }, { selector, files, events }) => {
    const dataTransfer = await transferOf(page, files);
    for (const event of events) await page.dispatchEvent(selector, event, { dataTransfer });
    return null;
  },
  tap: async ({ page }, { selector }) => {
    const { x, y } = await place(page, selector);
    await page.touchscreen.tap(x, y);
    return null;
  },
  // `by` is the way of the finger downwards, as a part of the element's height.
  swipe: async (it, { selector, by }) => {
    const { x, y, height } = await place(it.page, selector);
    const ys = steps(y - (by * height) / 2, y + (by * height) / 2, 10);
    return fingers(it, ys.map((one) => [[x, one]]));
  },
  // A finger that rests at a point of the window, then goes to another one.
  press_and_hold: (it, { from, to, ms }) =>
    fingers(it, [[from], [to], [to]], { hold: ms }),
  pinch: async (it, { selector, from, to }) => {
    const { x, y } = await place(it.page, selector);
    const apart = (pixels) => [[x - pixels / 2, y], [x + pixels / 2, y]];
    return fingers(it, steps(from, to, 10).map(apart));
  },
  choose_files: ({ page }, { selector, files }) =>
    page.setInputFiles(selector, files).then(() => null),
  // Clicks and waits for the download that follows.
  download: async ({ page }, { selector, path }) => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(selector)]);
    await download.saveAs(path);
    return download.suggestedFilename();
  },
  // A click at a point of the window, with a key held where one is named.
  click_at: async ({ page }, { x, y, modifier }) => {
    if (modifier) await page.keyboard.down(modifier);
    await page.mouse.move(x, y);
    await page.mouse.click(x, y);
    if (modifier) await page.keyboard.up(modifier);
    return null;
  },
  // Drags the mouse between two points of the window.
  select: async ({ page }, { from, to }) => {
    await page.mouse.move(...from);
    await page.mouse.down();
    await page.mouse.move(...to, { steps: 5 });
    await page.mouse.up();
    return null;
  },
  opened: async ({ opened }) => opened.map((other) => other.url()),
  // The browser's own way back; a page from the back/forward cache fires no load event.
  back: ({ page }) => page.goBack({ waitUntil: 'commit' }).then(() => null),
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
