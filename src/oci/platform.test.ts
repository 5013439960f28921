import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostPlatform, parsePlatform } from './platform.ts';

test('parsePlatform reads the names that people use', () => {
  assert.deepEqual(parsePlatform('linux/arm64/v8'), { os: 'linux', architecture: 'arm64', variant: 'v8' });
  assert.deepEqual(parsePlatform('linux/x86_64'), { os: 'linux', architecture: 'amd64' });
  assert.deepEqual(parsePlatform('linux/armhf'), { os: 'linux', architecture: 'arm', variant: 'v7' });
  assert.deepEqual(parsePlatform('s390x'), { os: 'linux', architecture: 's390x' });
  assert.deepEqual(parsePlatform('linux'), hostPlatform());
});

test('parsePlatform refuses the rest, a lone word as Docker does', () => {
  assert.throws(() => parsePlatform('bogus'), {
    kind: 'invalid',
    message: '"bogus": unknown operating system or architecture: invalid argument',
  });
  for (const text of ['', 'linux/', '/amd64', 'a/b/c/d', 'linux/am d64']) {
    assert.throws(() => parsePlatform(text), { kind: 'invalid' }, text);
  }
});
