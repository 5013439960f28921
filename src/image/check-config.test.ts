import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from './check-config.ts';

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

test('what Go wrote as null in an image config is absent', () => {
  const rootfs = { type: 'layers', diff_ids: [] };
  const config = { Cmd: ['sh'], Entrypoint: null, OnBuild: null, Labels: null, Volumes: null };
  assert.deepEqual(parseConfig(bytes({ rootfs, config }), 'config').config, { Cmd: ['sh'] });
  assert.equal(parseConfig(bytes({ rootfs, config: null }), 'config').config, null);
});

test('an image config without diff ids is refused', () => {
  assert.throws(() => parseConfig(bytes({ config: {} }), 'X'), { message: /^X is not an image config/ });
});
