// Changes rows of a control plane that is stopped: what a test cannot wait a day for.
//
//   node tests/node/rows.mjs STATE_FOLDER STATEMENT
import { Miniflare } from '../../cp-worker/miniflare-mended.mjs';

const [state, statement] = process.argv.slice(2);
const mf = new Miniflare({
  modules: true,
  script: 'export default { fetch: () => new Response() }',
  compatibilityDate: '2026-04-01',
  cf: false,
  d1Databases: { DB: 'chatcode' },
  defaultPersistRoot: state,
});
const db = await mf.getD1Database('DB');
const { meta } = await db.prepare(statement).run();
await mf.dispose();
console.log(meta.changes);
process.exit(meta.changes > 0 ? 0 : 1);
