import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import type { ProgressMessage } from '#api-types';
import { encodeEvent } from '../encode/event.ts';
import { formatLogTime } from '../encode/log-time.ts';
import { requestedDetachKeys } from '../request/detach-keys.ts';
import { ClassicBuildOutput } from './build-output.ts';
import { encodeOutput } from './frames.ts';
import { encodeLogBatch } from './log-batch.ts';
import { encodeProgress, progressText } from './progress.ts';

test('detach keys that are none are refused in Docker words', () => {
  assert.deepEqual([...requestedDetachKeys(undefined)], [16, 17]);
  assert.throws(() => requestedDetachKeys('zz'), { kind: 'invalid', message: 'Invalid detach keys (zz) provided' });
});

describe('encodeOutput', () => {
  it('frames pipes and leaves terminals alone', () => {
    const chunk = { stream: 'stderr' as const, data: Buffer.from('err\n') };
    assert.deepEqual(encodeOutput(chunk, false), Buffer.from([2, 0, 0, 0, 0, 0, 0, 4, ...Buffer.from('err\n')]));
    assert.deepEqual(encodeOutput(chunk, true), chunk.data);
  });
});

describe('encodeLogBatch', () => {
  const lines = [
    { time: '', stream: 'stdout' as const, text: Buffer.from('part'), partial: true },
    { time: '', stream: 'stderr' as const, text: Buffer.from('err'), partial: false },
  ];
  const prefixOf = ({ stream }: { stream: string }) => Buffer.from(stream === 'stderr' ? 'at ' : '');

  it('gives every line a frame of its own', () => {
    const wanted = lines.map(({ stream }, index) =>
      encodeOutput({ stream, data: Buffer.from(['part', 'at err\n'][index] ?? '') }, false),
    );
    assert.deepEqual(encodeLogBatch(lines, { tty: false, prefixOf }), Buffer.concat(wanted));
  });

  it('gives a terminal only the text', () => {
    assert.equal(encodeLogBatch(lines, { tty: true, prefixOf: undefined }).toString(), 'parterr\n');
  });
});

describe('progress', () => {
  it('draws the bar of 50 signs', () => {
    assert.equal(progressText(50, 100), '[=========================>                         ]      50B/100B');
    assert.equal(progressText(100, 100), '[==================================================>]     100B/100B');
    assert.equal(progressText(1234567, undefined), ' 1.235MB');
  });

  it('has no detail for a step without numbers', () => {
    assert.deepEqual(encodeProgress({ id: 'abc', status: 'Pull complete' }), {
      status: 'Pull complete',
      progressDetail: {},
      id: 'abc',
    });
    assert.deepEqual(encodeProgress({ status: 'Digest: sha256:1' }), { status: 'Digest: sha256:1' });
  });
});

describe('encodeEvent', () => {
  it('keeps every digit of the time and repeats the old fields for containers', () => {
    const line = encodeEvent({
      type: 'container',
      action: 'die',
      id: 'abc',
      attributes: { image: 'busybox', exitCode: '0' },
      timeNano: 1795227247790546615n,
      actor: { via: 'engine' },
    });
    assert.equal(
      line,
      '{"status":"die","id":"abc","from":"busybox","Type":"container","Action":"die","Actor":{"ID":"abc","Attributes":' +
        '{"image":"busybox","exitCode":"0"}},"scope":"local","time":1795227247,"timeNano":1795227247790546615}\n',
    );
  });
});

describe('formatLogTime', () => {
  it('writes UTC with nine digits from any offset', () => {
    assert.equal(formatLogTime('2026-11-21T02:17:48.781691138Z'), '2026-11-21T02:17:48.781691138Z');
    assert.equal(formatLogTime('2026-11-21T03:17:48.5+01:00'), '2026-11-21T02:17:48.500000000Z');
  });
});

describe('ClassicBuildOutput', () => {
  it('shows steps whole and in order although they run side by side', () => {
    const sent: string[] = [];
    const output = new ClassicBuildOutput((message: ProgressMessage) => sent.push(message.stream ?? ''));
    const step = (number: number, text: string) => ({ number, text, stage: '', line: number });
    const say = (number: number, text: string) =>
      output.onEvent({ kind: 'step-output', step: number, stream: 'stdout', data: Buffer.from(text) });
    output.onEvent({ kind: 'plan', steps: [step(1, 'FROM a'), step(2, 'RUN b'), step(3, 'RUN c')] });
    output.onEvent({ kind: 'step-start', step: 1 });
    output.onEvent({ kind: 'step-start', step: 3 });
    output.onEvent({ kind: 'step-running', step: 3, containerId: 'f'.repeat(64) });
    say(3, 'c\n');
    output.onEvent({ kind: 'step-done', step: 1, cached: false, imageId: `sha256:${'1'.repeat(64)}` });
    output.onEvent({ kind: 'step-start', step: 2 });
    output.onEvent({ kind: 'step-done', step: 3, cached: false });
    say(2, 'b\n');
    output.onEvent({ kind: 'step-done', step: 2, cached: true, imageId: `sha256:${'2'.repeat(64)}` });
    assert.equal(
      sent.join(''),
      'Step 1/3 : FROM a\n ---> 111111111111\nStep 2/3 : RUN b\nb\n ---> Using cache\n ---> 222222222222\nStep 3/3 : RUN c\n' +
        ' ---> Running in ffffffffffff\nc\n ---> Removed intermediate container ffffffffffff\n',
    );
  });
});
