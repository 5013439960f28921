import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { createMounts } from '#host';
import { sealProgram } from './seal-program.ts';

it('sealProgram gives a program that runs and that nobody can write, also after an upgrade', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'runtime-seal-'));
  const [program, target] = [join(directory, 'program'), join(directory, 'bin', 'program')];
  const mounts = createMounts();
  const say = async (path: string) => (await promisify(execFile)(path, ['word'])).stdout;
  try {
    await copyFile('/bin/echo', program);
    const sealed = await sealProgram(program, target, mounts);
    assert.equal(await say(sealed.path), 'word\n');
    await assert.rejects(appendFile(sealed.path, 'x'), { code: /EROFS|ETXTBSY/ });
    await rm(program);
    await copyFile('/bin/basename', program);
    assert.equal(await say((await sealProgram(program, target, mounts)).path), 'word\n');
    assert.equal((await mounts.list()).filter((mount) => mount.target === target).length, 1);
  } finally {
    await mounts.unmount(target);
    await rm(directory, { recursive: true, force: true });
  }
});
