import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { resolveUser } from '../start/container-user.ts';
import { locatePath, readContainerFile } from './container-path.ts';

const root = mkdtempSync('/tmp/engine-paths-');
const rootfs = join(root, 'rootfs');
const volume = join(root, 'volume');
mkdirSync(join(rootfs, 'etc'), { recursive: true });
mkdirSync(join(rootfs, 'data'));
mkdirSync(volume);
writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv:/bin/sh\n');
writeFileSync(join(rootfs, 'etc/group'), 'root:x:0:\nwww:x:34:\nextra:x:77:web\n');
writeFileSync(join(volume, 'file'), 'in the volume');
symlinkSync('/etc/passwd', join(rootfs, 'absolute'));
symlinkSync('../../../../../../etc/hostname', join(rootfs, 'escape'));
symlinkSync('loop', join(rootfs, 'loop'));
symlinkSync('/data/file', join(rootfs, 'into-volume'));
after(() => rmSync(root, { recursive: true }));
const view = { rootfs, mounts: [{ destination: '/data', source: volume, rw: false }] };

describe('locatePath', () => {
  test('absolute links and .. stay inside the root', async () => {
    const passwd = await locatePath(view, '/absolute', { followLast: true });
    assert.equal(passwd.hostPath, join(rootfs, 'etc/passwd'));
    const leading = await locatePath(view, '/escape', { followLast: true });
    assert.equal(leading.hostPath, join(rootfs, 'etc/hostname'));
    assert.equal(leading.exists, false);
    assert.equal((await locatePath(view, '/../../etc', { followLast: true })).hostPath, join(rootfs, 'etc'));
  });
  test('a link may lead into a volume, whose mode counts', async () => {
    const found = await locatePath(view, '/into-volume', { followLast: true });
    assert.deepEqual([found.hostPath, found.root, found.writable], [join(volume, 'file'), volume, false]);
    assert.equal(await readContainerFile(view, '/into-volume'), 'in the volume');
  });
  test('the last link is kept when not to be followed, and a loop is refused', async () => {
    const kept = await locatePath(view, '/absolute', { followLast: false });
    assert.equal(kept.containerPath, '/absolute');
    await assert.rejects(locatePath(view, '/loop/x', { followLast: true }), /too many levels of symbolic links/);
  });
});

describe('resolveUser', () => {
  test('finds names, numbers and groups in the container’s own files', async () => {
    assert.deepEqual(await resolveUser(view, '', []), { uid: 0, gid: 0, additionalGids: [0], home: '/root' });
    assert.deepEqual(await resolveUser(view, 'web', []), { uid: 33, gid: 34, additionalGids: [34, 77], home: '/srv' });
    assert.deepEqual(await resolveUser(view, '33:0', ['www']), {
      uid: 33,
      gid: 0,
      additionalGids: [0, 34],
      home: '/srv',
    });
    assert.deepEqual(await resolveUser(view, '4000', []), { uid: 4000, gid: 0, additionalGids: [0], home: '/' });
  });
  test('an unknown name is refused in Docker’s words', async () => {
    await assert.rejects(resolveUser(view, 'nosuch', []), {
      message: 'unable to find user nosuch: no matching entries in passwd file',
    });
    await assert.rejects(resolveUser(view, 'web:nosuch', []), {
      message: 'unable to find group nosuch: no matching entries in group file',
    });
  });
});
