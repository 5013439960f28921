import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { daemonForTests } from '#testkit';

const program = fileURLToPath(new URL('../../../bin/berth', import.meta.url));
const setXattr = (path: string, name: string, value: string) =>
  execFileSync('python3', [
    '-c',
    'import os,sys; os.setxattr(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]))',
    path,
    name,
    value,
  ]);
/** Each name with type, mode, owner, size, blocks, time, link count, device and attributes. */
const everything = (directory: string) =>
  execFileSync('python3', [
    '-c',
    `import os,sys
os.chdir(sys.argv[1])
for top, names, files in sorted(os.walk('.')):
  for path in [top] + sorted(os.path.join(top, n) for n in files + [n for n in names if os.path.islink(os.path.join(top, n))]):
    s = os.lstat(path)
    xattrs = [(n, os.getxattr(path, n, follow_symlinks=False).hex()) for n in sorted(os.listxattr(path, follow_symlinks=False))]
    size = 0 if os.path.isdir(path) else s.st_size
    blocks = 0 if os.path.isdir(path) else s.st_blocks
    text = open(path, 'rb').read(1 << 16).hex()[:200] if os.path.isfile(path) and not os.path.islink(path) else ''
    link = os.readlink(path) if os.path.islink(path) else ''
    print(path, oct(s.st_mode), s.st_uid, s.st_gid, size, blocks, s.st_mtime_ns, s.st_nlink, s.st_rdev, xattrs, text, link)`,
    directory,
  ]).toString();

describe('volumes as archives', () => {
  const { daemon, docker } = daemonForTests();
  let scratch: string;
  const berth = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)(program, ['-H', daemon.host, ...args]);
    return stdout.trim();
  };
  const data = (volume: string) => join(daemon.directory, 'data/volumes', volume, '_data');
  const leftovers = () =>
    readdirSync(join(daemon.directory, 'data/volumes')).filter((name) => name.startsWith('.import'));

  before(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'berth-volumes-'));
    await docker.run('volume', 'create', 'full');
    const script = `cd /v; mkdir -p d/e empty; echo hello > d/e/f; ln d/e/f d/hard; ln -s ../d link; mkfifo pipe; mknod null c 1 3
      printf x | dd of=holes bs=1 seek=300000000 2>/dev/null; printf abc | dd of=holes bs=1 seek=5000000 conv=notrunc 2>/dev/null
      chmod 4755 d/e/f; chown 12:34 d/e d/e/f; chown -h 5:6 link; chmod 1777 empty; chown 7:8 .; chmod 2750 .`;
    await docker.run('run', '--rm', '-v', 'full:/v', 'busybox', 'sh', '-c', script);
    setXattr(join(data('full'), 'd/e/f'), 'user.note', '00ff10');
    setXattr(join(data('full'), 'd/e/f'), 'security.capability', '0100000200040000000000000000000000000000');
    // user::rwx user:99:r-- group::r-x mask::r-x other::--- (acl(5), linux/posix_acl_xattr.h)
    setXattr(
      join(data('full'), 'd'),
      'system.posix_acl_access',
      '02000000010007ffffffffff02000400630000000400 0500ffffffff10000500ffffffff20000000ffffffff'
        .replaceAll(' ', '')
        .replace('07ffffffffff', '0700ffffffff'),
    );
    writeFileSync(join(data('full'), Buffer.from('latin-\xe9', 'latin1').toString('latin1')), '');
  });
  after(async () => {
    rmSync(scratch, { recursive: true, force: true });
  });

  test('what is exported and imported is the same in all it has, holes, links, devices and attributes too', async () => {
    const file = join(scratch, 'full.tar');
    await berth('volume', 'export', '-o', file, 'full');
    assert.ok(statSync(file).size < 1_000_000, 'holes take no room in the archive');
    assert.equal(await berth('volume', 'import', '--label', 'k=v', 'again', file), 'again');
    assert.equal(everything(data('again')), everything(data('full')));
    assert.equal(await docker.run('volume', 'inspect', '-f', '{{json .Labels}}', 'again'), '{"k":"v"}');
    const listing = execFileSync('tar', ['-tf', file]).toString();
    assert.match(listing, /^\.\/\n(.*\n)*\.\/holes\n/, 'another tar reads it too');
  });

  test('an empty volume takes an archive of another program, from a pipe and compressed', async () => {
    const tree = join(scratch, 'tree');
    mkdirSync(join(tree, 'sub'), { recursive: true });
    writeFileSync(join(tree, 'sub/file'), 'from tar');
    await docker.run('volume', 'create', 'empty');
    const command = `tar -cz -C ${tree} . | ${program} -H ${daemon.host} volume import empty -`;
    await promisify(execFile)('sh', ['-c', command]);
    assert.equal(await docker.run('run', '--rm', '-v', 'empty:/v', 'busybox', 'cat', '/v/sub/file'), 'from tar');
  });

  test('a volume in use is exported, and kept until the export is read', async () => {
    await docker.run('run', '--rm', '-v', 'big:/v', 'busybox', 'dd', 'if=/dev/zero', 'of=/v/f', 'bs=1M', 'count=24');
    await docker.run('run', '-d', '--name', 'user', '-v', 'big:/v', 'busybox', 'sleep', '3600');
    const reader = spawn('curl', ['-sN', '--unix-socket', daemon.socket, 'http://berth/berth/volumes/big/export'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(reader.stdout, 'readable');
    await docker.run('rm', '-f', 'user');
    await assert.rejects(docker.run('volume', 'rm', 'big'), /volume is in use - \[export-/);
    const closed = once(reader, 'close');
    reader.kill();
    reader.stdout.destroy();
    await closed;
    await docker.run('run', '--rm', '-v', 'big:/v', 'busybox', 'rm', '/v/f');
  });

  test('what cannot be imported leaves nothing', async () => {
    const file = join(scratch, 'cut.tar');
    await berth('volume', 'export', '-o', file, 'full');
    await assert.rejects(berth('volume', 'import', 'full', file), /the volume has data/);
    truncateSync(file, statSync(file).size - 2500);
    await assert.rejects(berth('volume', 'import', 'new', file), /ends in the middle/);
    await assert.rejects(berth('volume', 'import', 'new', join(scratch, 'nosuch')), /no such file/);
    await assert.rejects(berth('volume', 'import', '../new', file), /invalid characters/);
    const climbing = join(scratch, 'climbing.tar');
    execFileSync('tar', ['-cPf', climbing, '--transform', 's,.*,../../outside,', '/etc/hostname']);
    await assert.rejects(berth('volume', 'import', 'new', climbing), /outside/);
    await docker.run('run', '-d', '--name', 'user', '-v', 'used:/v', 'busybox', 'sleep', '3600');
    const good = join(scratch, 'full.tar');
    await assert.rejects(berth('volume', 'import', 'used', good), /volume is in use/);
    await docker.run('rm', '-f', 'user');
    await docker.run('volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', 'fleeting');
    await assert.rejects(berth('volume', 'import', 'fleeting', good), /only local volumes without options/);
    assert.equal((await docker.try(['volume', 'inspect', 'new'])).code, 1);
    assert.deepEqual(leftovers(), []);
  });

  test('a daemon killed in the middle of an import starts without the half of it', async () => {
    const child = spawn(program, ['-H', daemon.host, 'volume', 'import', 'half', '-'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const gone = once(child, 'exit');
    child.stdin.on('error', () => undefined);
    const watcher = watch(join(daemon.directory, 'data/volumes'));
    const staging = once(watcher, 'change');
    const whole = execFileSync('tar', ['-c', program], { maxBuffer: 1 << 28 });
    child.stdin.write(whole.subarray(0, 1024));
    await staging;
    watcher.close();
    await daemon.kill();
    await gone;
    await daemon.start();
    assert.deepEqual(leftovers(), []);
    assert.equal((await docker.try(['volume', 'inspect', 'half'])).code, 1);
  });
});
