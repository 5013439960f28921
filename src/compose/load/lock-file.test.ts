import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testProject, testService } from '../plan/planning-fixture.ts';
import { applyLock, formatLock, lockableImages, parseLock } from './lock-file.ts';

const digest = `sha256:${'ab'.repeat(32)}`;

const some = testProject([
  testService('web', { image: 'app:1' }),
  testService('built', { image: 'own:1', build: { context: '/work' } }),
  testService('fixed', { image: `db@${digest}` }),
]);

test('only images that are neither built nor held by digest already can be locked', () => {
  assert.deepEqual(lockableImages(some), ['app:1']);
});

test('a lock holds images at its digests and survives being written and read', () => {
  const lock = parseLock(formatLock({ 'app:1': digest }), '/work/compose.lock');
  const { services } = applyLock(some, lock, { strict: true });
  assert.equal(services.web?.image, `app:1@${digest}`);
  assert.equal(services.built?.image, 'own:1');
  assert.equal(services.fixed?.image, `db@${digest}`);
});

test('an image that the lock lacks is refused where the lock is insisted on', () => {
  assert.equal(applyLock(some, {}, { strict: false }).services.web?.image, 'app:1');
  assert.throws(
    () => applyLock(some, {}, { strict: true }),
    /service "web": image app:1 is not in \/work\/compose.lock/,
  );
});

test('what is no lock file is refused by name', () => {
  assert.throws(() => parseLock('[]', '/work/compose.lock'), /compose.lock: it is no lock file/);
  assert.throws(() => parseLock('{', '/work/compose.lock'), /compose.lock: /);
  assert.throws(() => parseLock('{"version":1,"images":{"a":"latest"}}', 'x'), /image a has no digest/);
});
