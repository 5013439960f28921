import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { createProcesses } from '#host';
import { whyNoCheckpoints } from './why-no-checkpoints.ts';

const path = process.env.PATH;
let directory: string;
before(() => {
  directory = mkdtempSync('/tmp/runtime-criu-');
  process.env.PATH = `${directory}:${path}`;
});
after(() => {
  process.env.PATH = path;
  rmSync(directory, { recursive: true });
});

/** The answer where CRIU is this script. */
function answerOf(script: string): Promise<string> {
  const criu = join(directory, 'criu');
  writeFileSync(criu, `#!/bin/sh\n${script}\n`);
  chmodSync(criu, 0o755);
  return whyNoCheckpoints(createProcesses());
}

it('whyNoCheckpoints repeats what CRIU has against the kernel', async () => {
  const answer = await answerOf('echo "Error (vdso.c): bad bounds" >&2; echo more >&2; exit 1');
  assert.equal(answer, 'CRIU does not work with this kernel: Error (vdso.c): bad bounds');
});

it('whyNoCheckpoints says which code a silent CRIU ended with', async () => {
  assert.match(await answerOf('exit 3'), /exit code 3$/);
});

it('whyNoCheckpoints owns that a working CRIU is not used', async () => {
  assert.equal(await answerOf('exit 0'), 'this engine does not use CRIU yet');
});
