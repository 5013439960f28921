import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familiarName, readImageName, wantedTag } from './reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

test('names without a registry are of the hub, official ones of its library', () => {
  const { registry, familiar, full } = readImageName('debian');
  assert.deepEqual([registry, familiar, full], ['docker.io', 'debian', 'docker.io/library/debian']);
  assert.equal(readImageName('docker.io/library/debian').familiar, 'debian');
  assert.equal(readImageName('me/app').full, 'docker.io/me/app');
});
test('a first part with a dot, a colon or localhost is a registry', () => {
  assert.equal(readImageName('localhost/x').registry, 'localhost');
  const name = readImageName('127.0.0.1:5000/a/b:v1');
  assert.deepEqual([name.registry, name.familiar, name.tag], ['127.0.0.1:5000', '127.0.0.1:5000/a/b', 'v1']);
});
test('tags and digests are kept apart, latest is understood', () => {
  assert.equal(wantedTag(readImageName('a')), 'latest');
  assert.equal(wantedTag(readImageName(`a:1@${digest}`)), digest);
  assert.equal(familiarName(readImageName('a')), 'a:latest');
  assert.equal(familiarName(readImageName(`a@${digest}`)), `a@${digest}`);
});
test('what is no name is refused with Docker’s text', () => {
  assert.throws(() => readImageName('UPPER'), {
    message: 'invalid reference format: repository name (library/UPPER) must be lowercase',
  });
  for (const text of ['', ':x', 'a:', 'a b', '-a', 'a//b', 'a:v 1']) {
    assert.throws(() => readImageName(text), { message: 'invalid reference format' }, text);
  }
});
