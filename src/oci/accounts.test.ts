import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Accounts } from './accounts.ts';

const passwd = '# comment\nroot:x:0:0::/root:/bin/sh\napp:x:10:20::/srv:/bin/sh\nbroken:x:y:z\n';
const group = 'root:x:0:\nstaff:x:30:app,root\nmain:x:20:app\n';

describe('Accounts', () => {
  const accounts = new Accounts(passwd, group);

  for (const [spec, expected] of [
    ['', { uid: 0, gid: 0, additionalGids: [0, 30], home: '/root' }],
    ['app', { uid: 10, gid: 20, additionalGids: [20, 30], home: '/srv' }],
    ['10', { uid: 10, gid: 20, additionalGids: [20, 30], home: '/srv' }],
    ['app:staff', { uid: 10, gid: 30, additionalGids: [30], home: '/srv' }],
    ['99:98', { uid: 99, gid: 98, additionalGids: [98], home: '/' }],
    [':staff', { uid: 0, gid: 30, additionalGids: [30], home: '/root' }],
  ] as const) {
    test(`resolves "${spec}"`, () => assert.deepEqual(accounts.resolve(spec), expected));
  }

  test('adds groups by name and number', () => {
    assert.deepEqual(accounts.resolve('99', ['staff', '7']).additionalGids, [0, 30, 7]);
  });

  for (const [spec, error] of [
    ['nobody', /unable to find user nobody: no matching entries in passwd file/],
    ['app:nogroup', /unable to find group nogroup: no matching entries in group file/],
    ['4294967295', /uids and gids must be in range 0-2147483647/],
    ['broken', /unable to find user broken/],
  ] as const) {
    test(`refuses "${spec}"`, () => assert.throws(() => accounts.resolve(spec), error));
  }

  test("an owner without a group takes the group of the same name or number, else the user's own", () => {
    assert.deepEqual(accounts.owner('5'), { uid: 5, gid: 5 });
    assert.deepEqual(accounts.owner('app'), { uid: 10, gid: 20 });
    assert.deepEqual(accounts.owner('app:staff'), { uid: 10, gid: 30 });
    assert.throws(() => accounts.owner('x:staff'), /no such user: x/);
    assert.throws(() => accounts.owner('app:'), /invalid chown string/);
  });
});
