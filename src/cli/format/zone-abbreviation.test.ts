import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { afterEach, describe, it } from 'node:test';
import { goTime, rfc3339 } from './human.ts';
import { zoneAbbreviation } from './zone-abbreviation.ts';

const before = process.env.TZ;
const skip = !existsSync('/usr/share/zoneinfo/Europe/Berlin') && 'no zone files here (package tzdata)';

describe('names of local times', () => {
  afterEach(() => {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  });

  it('zoneAbbreviation() knows summer and winter, before and after the last change that is listed', { skip }, () => {
    const names = (zone: string, ...times: string[]) => {
      process.env.TZ = zone;
      return times.map((time) => zoneAbbreviation(new Date(time)));
    };
    const times = ['2001-01-01T12:00:00Z', '2001-07-01T12:00:00Z', '2090-01-01T12:00:00Z', '2090-07-01T12:00:00Z'];
    assert.deepEqual(names('Europe/Berlin', ...times), ['CET', 'CEST', 'CET', 'CEST']);
    assert.deepEqual(names(':America/New_York', ...times), ['EST', 'EDT', 'EST', 'EDT']);
    assert.deepEqual(names('Asia/Kolkata', ...times), ['IST', 'IST', 'IST', 'IST']);
    assert.deepEqual(names('/usr/share/zoneinfo/Asia/Tehran', ...times), ['+0330', '+0430', '+0330', '+0330']);
    assert.deepEqual(names('Europe/London', ...times), ['GMT', 'BST', 'GMT', 'BST']);
    assert.deepEqual(names('Europe/Berlin', '1850-01-01T00:00:00Z'), ['LMT']);
  });

  it('zoneAbbreviation() is UTC where no zone is known', () => {
    for (const zone of ['No/Such', '', '/etc/hostname', '/dev/null']) {
      process.env.TZ = zone;
      assert.equal(zoneAbbreviation(new Date(0)), 'UTC');
    }
  });

  it('goTime() and rfc3339() print a time as Go does', { skip }, () => {
    process.env.TZ = 'Europe/Berlin';
    assert.equal(goTime(1_795_271_000), '2026-11-21 15:23:20 +0100 CET');
    assert.equal(rfc3339(1_795_271_000), '2026-11-21T15:23:20+01:00');
    process.env.TZ = 'America/St_Johns';
    assert.equal(goTime(1_795_271_000), '2026-11-21 10:53:20 -0330 NST');
    process.env.TZ = 'UTC';
    assert.equal(goTime(1_795_271_000), '2026-11-21 14:23:20 +0000 UTC');
    assert.equal(rfc3339(1_795_271_000), '2026-11-21T14:23:20Z');
  });
});
