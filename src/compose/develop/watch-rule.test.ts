import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Service, WatchTrigger } from '../model/index.ts';
import { WatchRule } from './watch-rule.ts';

describe('WatchRule', () => {
  const root = mkdtempSync(join(tmpdir(), 'berth-compose-rule-'));
  after(() => rmSync(root, { recursive: true, force: true }));
  writeFileSync(join(root, '.dockerignore'), 'node_modules\n*.log\n');
  const service = { name: 'web', build: { context: root } } as Service;
  const rule = (trigger: Partial<WatchTrigger>) =>
    new WatchRule(service, {
      path: join(root, 'src'),
      action: 'sync',
      target: '/app',
      exec: { command: null },
      ...trigger,
    });
  const target = (given: WatchRule, path: string) => given.match(join(root, path))?.containerPath;

  test('a path below the trigger has its place below the target', () => {
    assert.equal(target(rule({}), 'src/a/b.js'), '/app/a/b.js');
    assert.equal(target(rule({}), 'src'), '/app');
    assert.equal(target(rule({}), 'srcs/a'), undefined);
    assert.equal(target(rule({ path: join(root, 'conf.txt'), target: '/etc/conf' }), 'conf.txt'), '/etc/conf');
  });

  test('ignore and include are patterns below the path, .dockerignore below the build context', () => {
    const given = rule({ path: root, ignore: ['dist/', '**/*.tmp'], include: ['*.js', 'lib'] });
    assert.equal(target(given, 'a.js'), '/app/a.js');
    assert.equal(target(given, 'lib/x/y.css'), '/app/lib/x/y.css');
    assert.equal(target(given, 'lib/x.tmp'), undefined);
    assert.equal(target(given, 'deep/a.js'), undefined);
    assert.equal(target(given, 'lib.log'), undefined);
    assert.equal(target(rule({ path: root }), 'a.log'), undefined);
    assert.equal(given.skips(join(root, 'dist')), true);
    assert.equal(given.skips(join(root, 'node_modules')), true);
    assert.equal(given.skips(join(root, 'deep')), false);
  });

  test('what editors and git write beside the files does not count', () => {
    for (const name of ['.a.js.swp', 'a.js~', '.#a.js', '4913', '.git/index', 'sub/.git/HEAD']) {
      assert.equal(target(rule({}), `src/${name}`), undefined, name);
    }
  });

  test('a directory with exceptions from what is ignored is looked into', () => {
    const given = rule({ ignore: ['gen', '!gen/keep.js'] });
    assert.equal(given.skips(join(root, 'src/gen')), false);
    assert.equal(target(given, 'src/gen/keep.js'), '/app/gen/keep.js');
    assert.equal(target(given, 'src/gen/other.js'), undefined);
  });
});
