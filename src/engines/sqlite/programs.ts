/**
 * What copyScript does, for containers whose image has Python or Node but no sqlite3: one read transaction, a copy of
 * every page in a scratch folder, its counts on standard error, its bytes on standard output. Arguments: the URI and
 * `rows` or `objects`.
 */
export const pythonProgram = `
import json, os, shutil, signal, sqlite3, sys, tempfile
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
uri, counts = sys.argv[1:3]
folder = tempfile.mkdtemp(prefix='lifeboat-sqlite.')
try:
    path = os.path.join(folder, 'copy')
    source = sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None)
    source.execute('BEGIN').execute('SELECT count(*) FROM sqlite_master').fetchone()
    copy = sqlite3.connect(path)
    source.backup(copy, pages=-1)
    pages, = source.execute('PRAGMA page_count').fetchone()
    copied, = copy.execute('PRAGMA page_count').fetchone()
    source.close()
    if pages != copied:
        sys.exit('the copy has %d of %d pages' % (copied, pages))
    mine = "name NOT LIKE 'sqlite\\\\_%' ESCAPE '\\\\'"
    kinds = [kind for kind, in copy.execute('SELECT type FROM sqlite_master WHERE ' + mine)]
    names = {'tables': 'table', 'indexes': 'index', 'views': 'view', 'triggers': 'trigger'}
    print('lifeboat:objects ' + json.dumps({many: kinds.count(one) for many, one in names.items()}), file=sys.stderr)
    tables = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND " + mine).fetchall()
    for table, in tables if counts == 'rows' else []:
        try:
            rows, = copy.execute('SELECT count(*) FROM "%s"' % table.replace('"', '""')).fetchone()
        except sqlite3.OperationalError:
            continue
        print('lifeboat:rows ' + json.dumps([table, rows]), file=sys.stderr)
    print('lifeboat:counted', file=sys.stderr)
    copy.close()
    with open(path, 'rb') as file:
        shutil.copyfileobj(file, sys.stdout.buffer, 1 << 20)
    sys.stdout.flush()
finally:
    shutil.rmtree(folder, ignore_errors=True)
`;

export const nodeProgram = `
const { DatabaseSync, backup } = require('node:sqlite');
const fs = require('node:fs'), os = require('node:os'), { join } = require('node:path');
const { pipeline } = require('node:stream/promises');
const [uri, counts] = process.argv.slice(1);
const folder = fs.mkdtempSync(join(os.tmpdir(), 'lifeboat-sqlite.'));
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => process.exit(143));
(async () => {
  const path = join(folder, 'copy');
  const source = new DatabaseSync(uri);
  source.exec('PRAGMA busy_timeout = 30000; BEGIN; SELECT count(*) FROM sqlite_master');
  await backup(source, path, { rate: 2147483647 });
  const pagesOf = (database) => database.prepare('PRAGMA page_count').get().page_count;
  const pages = pagesOf(source);
  source.close();
  const copy = new DatabaseSync(path);
  if (pagesOf(copy) !== pages) throw new Error('the copy has ' + pagesOf(copy) + ' of ' + pages + ' pages');
  const say = (word, value) => process.stderr.write('lifeboat:' + word + ' ' + JSON.stringify(value) + '\\n');
  const mine = "name NOT LIKE 'sqlite\\\\_%' ESCAPE '\\\\'";
  const kinds = copy.prepare('SELECT type FROM sqlite_master WHERE ' + mine).all().map(({ type }) => type);
  const number = (kind) => kinds.filter((each) => each === kind).length;
  say('objects', { tables: number('table'), indexes: number('index'), views: number('view'), triggers: number('trigger') });
  const tables = copy.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND " + mine).all();
  for (const { name } of counts === 'rows' ? tables : []) {
    try {
      say('rows', [name, copy.prepare('SELECT count(*) AS rows FROM "' + name.replaceAll('"', '""') + '"').get().rows]);
    } catch (error) {
      if (!/no such|unknown function/.test(error.message)) throw error;
    }
  }
  process.stderr.write('lifeboat:counted\\n');
  copy.close();
  await pipeline(fs.createReadStream(path, { highWaterMark: 1 << 20 }), process.stdout);
})().catch((error) => {
  process.stderr.write(String(error.message) + '\\n');
  process.exit(1);
});
`;
