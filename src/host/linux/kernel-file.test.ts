import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { readKernelFile } from './kernel-file.ts';

it('readKernelFile reads files of any length to their end', () => {
  assert.equal(readKernelFile('/proc/sys/kernel/hostname'), readFileSync('/proc/sys/kernel/hostname', 'latin1'));
  // Some hundred kilobytes, which the kernel gives page by page.
  assert.match(readKernelFile('/proc/kallsyms') ?? '', /\n$/);
  assert.equal(readKernelFile('/proc/sys/kernel/ostype'), 'Linux\n');
});

it('readKernelFile says undefined where there is nothing (any more)', () => {
  assert.equal(readKernelFile('/proc/no-such-file'), undefined);
  assert.equal(readKernelFile('/proc/0/stat'), undefined);
  assert.throws(() => readKernelFile('/proc'), { code: 'EISDIR' });
});
