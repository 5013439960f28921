import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isBerthError } from '#base';
import { mountFlags, parseMountOptions } from './mount-options.ts';
import { parseMountTable } from './mount-table.ts';
import { createMounts } from './mounts.ts';

describe('parseMountOptions', () => {
  it('sorts words into flags, propagation and data', () => {
    const parsed = parseMountOptions(['ro', 'nosuid', 'rslave', 'lowerdir=/a:/b', 'index=off']);
    assert.equal(parsed.flags, mountFlags.RDONLY | mountFlags.NOSUID);
    assert.equal(parsed.data, 'lowerdir=/a:/b,index=off');
    assert.deepEqual(parsed.propagation, [mountFlags.SLAVE | mountFlags.REC]);
  });

  it('lets a later word win', () => {
    assert.equal(parseMountOptions(['ro', 'defaults', 'rw', 'noexec', 'exec']).flags, 0);
  });
});

describe('parseMountTable', () => {
  it('reads optional fields and escaped names', () => {
    const line = '36 35 98:0 /mnt1 /mnt\\0402 rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=continue\n';
    const [entry] = parseMountTable(line);
    assert.equal(entry?.target, '/mnt 2');
    assert.deepEqual(entry?.propagation, ['shared:1', 'master:2']);
    assert.equal(entry?.type, 'ext3');
    assert.deepEqual(entry?.options, ['rw', 'noatime', 'rw', 'errors=continue']);
  });
});

describe('createMounts', () => {
  const mounts = createMounts();
  let root: string;
  let target: string;
  const entry = async () => (await mounts.list()).findLast((candidate) => candidate.target === target);

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'berth-host-mounts-'));
    target = join(root, 'target');
    mkdirSync(target);
    mkdirSync(join(root, 'source'));
  });
  afterEach(async () => {
    await mounts.unmount(target, { detach: true });
    rmSync(root, { recursive: true });
  });

  it('mounts a tmpfs with flags and data', async () => {
    await mounts.mount({ type: 'tmpfs', source: 'tmpfs', target, options: ['nosuid', 'noexec', 'size=64k'] });
    const found = await entry();
    assert.equal(found?.type, 'tmpfs');
    for (const word of ['nosuid', 'noexec', 'size=64k']) assert.ok(found?.options.includes(word), word);
  });

  it('makes a read-only bind in one request and keeps the flags of its source', async () => {
    const source = join(root, 'source');
    await mounts.mount({ type: 'tmpfs', source: 'tmpfs', target: source, options: ['nosuid', 'nodev'] });
    try {
      await mounts.mount({ type: 'bind', source, target, options: ['bind', 'ro', 'private'] });
      assert.throws(() => writeFileSync(join(target, 'file'), ''), { code: 'EROFS' });
      const found = await entry();
      assert.ok(found?.options.includes('nosuid') && found.options.includes('nodev'));
      assert.deepEqual(found?.propagation, []);
    } finally {
      await mounts.unmount(source, { detach: true });
    }
  });

  it('names errno, source and target when the kernel refuses', async () => {
    const source = join(root, 'missing');
    await assert.rejects(mounts.mount({ type: 'bind', source, target, options: ['bind'] }), (error) => {
      assert.ok(isBerthError(error, 'unavailable'));
      assert.match(error.message, /missing on .*target.*: ENOENT/);
      assert.equal(error.details.errno, 'ENOENT');
      return true;
    });
  });

  it('refuses data that does not fit a page', async () => {
    const options = [`lowerdir=${'/x'.repeat(2100)}`];
    await assert.rejects(mounts.mount({ type: 'overlay', source: 'overlay', target, options }), /4095 bytes/);
  });

  it('takes unmounting what is not mounted, or not there, as done', async () => {
    await mounts.unmount(target);
    await mounts.unmount(join(root, 'nowhere'));
  });

  it('does not follow a symbolic link when it unmounts', async () => {
    await mounts.mount({ type: 'tmpfs', source: 'tmpfs', target, options: [] });
    symlinkSync(target, join(root, 'link'));
    await mounts.unmount(join(root, 'link'));
    assert.notEqual(await entry(), undefined);
  });
});
