import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesPattern } from './name-pattern.ts';

test('a pattern is found anywhere in a name unless it is anchored', () => {
  assert.ok(matchesPattern('web-1', 'eb'));
  assert.ok(matchesPattern('web-1', '^web'));
  assert.ok(matchesPattern('web-1', '^web-[12]$'));
  assert.ok(!matchesPattern('web-1', '^eb'));
  assert.ok(matchesPattern('web-1', 'w.*1'));
});
test('what is no expression, or could take for ever, matches nothing', () => {
  assert.ok(!matchesPattern('a[b', '['));
  assert.ok(!matchesPattern('aaaa', '(a+)+$'));
  assert.ok(!matchesPattern('aaaa', 'a*a*a*'));
  assert.ok(!matchesPattern('a', 'a'.repeat(300)));
});
