// Headless terminals behind a pipe: fed by length-prefixed orders, dumped as canonical cells.
//
// An order is: kind (one ASCII byte), terminal (one byte), length (u32, big endian), payload.
//   R  cols, rows (u16 each)   a full reset to that size, as the web app does for a snapshot
//   Z  cols, rows (u16 each)   resize
//   W  bytes                   the session's raw stream, through the web app's byte filter
//   P  bytes                   plain bytes, past the filter
//   D                          dump; the answer is length (u32, big endian) and JSON

// The grapheme addon's table is read from a buffer that must not share the pool.
Buffer.poolSize = 0;

import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';
import headless from '@xterm/headless';
import graphemes from '@xterm/addon-unicode-graphemes';
import { dumpTerminal } from './dump.mjs';

const web = resolve(dirname(fileURLToPath(import.meta.url)), '../../cp-worker/web/src/terminal');

/** Bundles the parts of the web app that stand between the stream and xterm.js. */
async function loadWebApp() {
  const contents = `
    export { ByteFilter } from './byte-filter';
    export { muteQueries } from './mute';`;
  const built = await esbuild.build({
    stdin: { contents, resolveDir: web, loader: 'ts' },
    bundle: true,
    format: 'esm',
    write: false,
  });
  const text = built.outputFiles[0].text;
  return import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`);
}

const { ByteFilter, muteQueries } = await loadWebApp();

/** A terminal as the web app sets it up, without a window. */
function makeTerminal() {
  const terminal = new headless.Terminal({
    cols: 80,
    rows: 24,
    scrollback: 20000,
    allowProposedApi: true,
  });
  terminal.loadAddon(new graphemes.UnicodeGraphemesAddon());
  muteQueries(terminal);
  const it = { terminal, filter: new ByteFilter(), written: Promise.resolve(), title: '' };
  terminal.onTitleChange((title) => (it.title = title));
  return it;
}

const terminals = new Map();

function terminalOf(id) {
  if (!terminals.has(id)) terminals.set(id, makeTerminal());
  return terminals.get(id);
}

/** Queues what `bytes` gives; resizes and dumps wait until it is parsed. */
function write(it, bytes) {
  it.written = it.written.then(() => new Promise((done) => it.terminal.write(bytes(), done)));
}

function then(it, step) {
  it.written = it.written.then(step);
}

function answer(value) {
  const text = Buffer.from(JSON.stringify(value));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(text.length);
  process.stdout.write(Buffer.concat([head, text]));
}

function obey(kind, id, payload) {
  const it = terminalOf(id);
  const size = () => [payload.readUInt16BE(0), payload.readUInt16BE(2)];
  switch (kind) {
    case 'R':
      return then(it, () => {
        it.filter.reset();
        it.terminal.reset();
        it.title = '';
        it.terminal.resize(...size());
      });
    case 'Z':
      return then(it, () => it.terminal.resize(...size()));
    case 'W':
      return write(it, () => it.filter.push(payload));
    case 'P':
      return write(it, () => payload);
    case 'D':
      return then(it, () => {
        const dump = dumpTerminal(it.terminal);
        dump.state.title = it.title;
        answer(dump);
      });
    default:
      throw new Error(`unknown order ${kind}`);
  }
}

let held = Buffer.alloc(0);
process.stdin.on('data', (chunk) => {
  held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
  for (;;) {
    if (held.length < 6) return;
    const length = held.readUInt32BE(2);
    if (held.length < 6 + length) return;
    const payload = Buffer.from(held.subarray(6, 6 + length));
    obey(String.fromCharCode(held[0]), held[1], payload);
    held = held.subarray(6 + length);
  }
});
process.stdin.on('end', () => process.exit(0));
