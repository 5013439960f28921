import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Attachment, OutputChunk } from '#runtime';
import { WaitingAttaches } from './waiting-attaches.ts';

/** A process that prints both streams and notes what it is given. */
function fakeProcess() {
  const calls: string[] = [];
  async function* output(): AsyncGenerator<OutputChunk, void, undefined> {
    yield { stream: 'stdout', data: Buffer.from('out') };
    yield { stream: 'stderr', data: Buffer.from('err') };
  }
  const attach = async (): Promise<Attachment> => ({
    output: output(),
    write: async (data) => void calls.push(Buffer.from(data).toString()),
    endInput: () => void calls.push('end'),
    close: () => void calls.push('close'),
  });
  return { calls, attach };
}

async function read(output: AsyncIterable<OutputChunk>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { data } of output) texts.push(data.toString());
  return texts;
}

describe('WaitingAttaches', () => {
  test('what is written before the start arrives after it, and input ends only then', async () => {
    const attaches = new WaitingAttaches();
    const process = fakeProcess();
    const attachment = attaches.add({ stdout: true, stderr: false });
    const written = attachment.write(Buffer.from('early'));
    attachment.endInput();
    await attaches.wire(process);
    await written;
    assert.deepEqual(await read(attachment.output), ['out']);
    assert.deepEqual(process.calls, ['early', 'end']);
  });

  test('a start that fails ends the output and refuses the input', async () => {
    const attaches = new WaitingAttaches();
    const attachment = attaches.add({ stdout: true, stderr: true });
    const written = attachment.write(Buffer.from('early'));
    attaches.abort();
    await assert.rejects(written, /not running/);
    assert.deepEqual(await read(attachment.output), []);
  });

  test('a client that went away before the start is not wired', async () => {
    const attaches = new WaitingAttaches();
    const process = fakeProcess();
    attaches.add({ stdout: true, stderr: true }).close();
    await attaches.wire(process);
    assert.deepEqual(process.calls, []);
  });
});
