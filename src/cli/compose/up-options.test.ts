import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readScale } from './up-options.ts';

test('--scale is read, and refused in the words of docker compose', () => {
  assert.deepEqual(readScale(['web=3', 'db=0']), { web: 3, db: 0 });
  assert.throws(() => readScale(['web']), { message: 'invalid --scale option "web". Should be SERVICE=NUM' });
  assert.throws(() => readScale(['web=x']), { message: 'strconv.Atoi: parsing "x": invalid syntax' });
});
