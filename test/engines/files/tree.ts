import { docker, dockerWithInput } from '../../support/testbed.ts';

/** An app with Node, and with the tools that make access lists, attributes and capabilities. */
export async function app(): Promise<string> {
  const tag = 'lifeboat-testbed/files-app';
  const recipe =
    'FROM lifeboat-testbed/sqlite-app\nUSER 0\nRUN apt-get update && apt-get install -y --no-install-recommends acl attr libcap2-bin\n';
  if ((await docker('images', '-q', tag)) === '') await dockerWithInput(recipe, 'build', '-q', '-t', tag, '-');
  return tag;
}

export const inApp = (name: string, script: string, ...args: string[]) =>
  dockerWithInput(script, 'exec', '-i', '-u', '0', name, 'bash', '-s', ...args);

/** Everything that Linux keeps of files and that is easily lost, in the folder `$1`. */
export const nasty = `set -e; cd "$1"
mkdir -p plain uni 'sp ace' odd links dev sparse acl empty deep
printf hello > plain/a; : > plain/zero
printf x > $'sp ace/new\\nline'; printf x > $'sp ace/tab\\t\\x01ctl'; printf x > uni/ünïcödé-日本; printf x > $'uni/\\xff\\xfe-not-utf8'
printf x > 'sp ace/-dash'; printf x > 'sp ace/*star?[x]'; printf x > 'sp ace/back\\slash'
printf x > "plain/$(head -c 251 /dev/zero | tr '\\0' n).txt"
printf owned > odd/o; chown 12345:54321 odd/o; chmod 000 odd/o
mkdir odd/d; printf in > odd/d/in; chown -R 4242:4243 odd/d; chmod 700 odd/d; chmod 600 odd/d/in
printf '#!/bin/sh\\n' > odd/suid; chown 33:33 odd/suid; chmod 6755 odd/suid; mkdir odd/sticky; chmod 1777 odd/sticky
head -c 100000 /dev/urandom > links/h1; ln links/h1 links/h2; ln links/h1 plain/h3
ln -s ../plain/a links/rel; ln -s /etc/passwd links/abs; ln -s nowhere links/dangling; ln -s loop links/loop
touch -h -d '2001-01-01 00:00:00.123456789Z' links/dangling; chown -h 7:8 links/rel
mkfifo dev/fifo; chmod 640 dev/fifo; mknod dev/null c 1 3
truncate -s 9G sparse/nine; printf mid | dd of=sparse/nine bs=1 seek=5000000000 conv=notrunc status=none; printf end | dd of=sparse/nine bs=1 seek=9663676400 conv=notrunc status=none
truncate -s 1M sparse/allhole; fallocate -l 4M sparse/prealloc
cp /bin/true plain/cap; setcap cap_net_bind_service=+ep plain/cap
printf x > acl/f; setfacl -m u:1234:rw,g:5678:r acl/f; mkdir acl/d; setfacl -d -m u:1234:rwx acl/d; setfacl -m g:99:rx acl/d
printf x > plain/xa; setfattr -n user.lifeboat -v 'va lue' plain/xa; setfattr -n user.bin -v 0x00ff00 plain/xa; setfattr -n user.d -v dir empty
d=deep; for i in $(seq 40); do d=$d/ddddddddddddddddddddddddddddddd; done; mkdir -p $d; printf x > $d/leaf
setfacl -m u:77:rx .; chown 1000:1001 .; chmod 2775 .
touch -d '1969-12-31 23:59:59.5Z' plain/a; touch -d '2038-02-01 03:04:05.987654321Z' plain/zero
touch -d '2011-11-11 11:11:11.111111111Z' empty deep .`;

/** Makes a tree that shares names with the nasty one, as something else each. */
export const damage = `cd "$1"; rm -rf plain uni acl links/h1 sparse; mkdir -p plain/a stale/deep; echo x > stale/deep/x
ln -s /etc uni; echo changed > links/h2; chmod 777 odd/o odd; mv empty full; echo x > full/x; echo acl > acl; setfacl -b .; chmod 2700 .; setfacl -d -m u:55:rwx .`;

const walker = `
const fs = require('node:fs'); const { createHash } = require('node:crypto');
const root = Buffer.from(process.argv[2] + '/'); const inodes = new Map();
function content(path, size) {
  const hash = createHash('sha256');
  if (size <= 1n << 30n) return hash.update(fs.readFileSync(path)).digest('hex');
  const file = fs.openSync(path, 'r'); const block = Buffer.alloc(4096);
  for (const at of [0, 4999999990, 4096 * 1000000, 9663676390]) hash.update(block.subarray(0, fs.readSync(file, block, 0, 4096, at)));
  fs.closeSync(file);
  return hash.digest('hex');
}
function walk(relative) {
  const path = Buffer.concat([root, relative]); const stats = fs.lstatSync(path, { bigint: true });
  const words = [JSON.stringify(relative.toString('latin1')), Number(stats.mode).toString(8), stats.uid + ':' + stats.gid, stats.mtimeNs];
  if (stats.isFile()) {
    words.push(stats.size, stats.blocks * 512n < stats.size ? 'sparse' : 'full', stats.nlink, content(path, stats.size));
    if (stats.nlink > 1n) { if (!inodes.has(stats.ino)) inodes.set(stats.ino, words[0]); words.push(inodes.get(stats.ino)); }
  }
  if (stats.isSymbolicLink()) words.push(fs.readlinkSync(path, { encoding: 'latin1' }));
  if (stats.isCharacterDevice() || stats.isBlockDevice()) words.push(stats.rdev);
  console.log(words.join(' '));
  if (!stats.isDirectory()) return;
  for (const name of fs.readdirSync(path, { encoding: 'buffer' }).sort(Buffer.compare))
    walk(relative.length > 0 ? Buffer.concat([relative, Buffer.from('/'), name]) : name);
}
walk(Buffer.alloc(0));`;

/** Everything of every file in the folder `$1`, as text. */
export const fingerprint = `set -e; node - "$1" <<'END'
${walker}
END
cd "$1"; getfattr -R -h -P -d -m - -e hex . | sort`;
