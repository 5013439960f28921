import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyChanges } from './commit-changes.ts';

test('applyChanges understands both forms of a command, quotes in variables and unions of ports', () => {
  const config = applyChanges({ Env: ['A=1'], ExposedPorts: { '80/tcp': {} } }, [
    'CMD ["a", "b c"]',
    'ENTRYPOINT run me',
    'ENV A="x y" B=z\nENV C the whole rest',
    'EXPOSE 81 53/udp',
    'LABEL k=v',
    'WORKDIR /w',
    'HEALTHCHECK CMD true',
  ]);
  assert.deepEqual(config.Cmd, ['a', 'b c']);
  assert.deepEqual(config.Entrypoint, ['/bin/sh', '-c', 'run me']);
  assert.deepEqual(config.Env, ['A=x y', 'B=z', 'C=the whole rest']);
  assert.deepEqual(Object.keys(config.ExposedPorts ?? {}), ['80/tcp', '81/tcp', '53/udp']);
  assert.deepEqual([config.Labels, config.WorkingDir], [{ k: 'v' }, '/w']);
  assert.deepEqual(config.Healthcheck, { Test: ['CMD-SHELL', 'true'] });
});

test('applyChanges refuses instructions that make layers', () => {
  assert.throws(() => applyChanges({}, ['RUN true']), /RUN is not a valid change command/);
});
