import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canonicalString, familiarString, parseReference, withDefaultTag } from './reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('parseReference', () => {
  for (const [text, canonical, familiar] of [
    ['debian', 'docker.io/library/debian', 'debian'],
    ['debian:bookworm-slim', 'docker.io/library/debian:bookworm-slim', 'debian:bookworm-slim'],
    ['user/app', 'docker.io/user/app', 'user/app'],
    ['docker.io/debian', 'docker.io/library/debian', 'debian'],
    ['index.docker.io/library/debian', 'docker.io/library/debian', 'debian'],
    ['localhost/app', 'localhost/app', 'localhost/app'],
    ['localhost:5000/a/b/c:1.0', 'localhost:5000/a/b/c:1.0', 'localhost:5000/a/b/c:1.0'],
    ['registry.example.com/app', 'registry.example.com/app', 'registry.example.com/app'],
    ['[::1]:5000/app', '[::1]:5000/app', '[::1]:5000/app'],
    ['127.0.0.1:5000/app', '127.0.0.1:5000/app', '127.0.0.1:5000/app'],
    [`app@${digest}`, `docker.io/library/app@${digest}`, `app@${digest}`],
    [`app:1@${digest}`, `docker.io/library/app:1@${digest}`, `app:1@${digest}`],
    ['a__b/c-d--e.f', 'docker.io/a__b/c-d--e.f', 'a__b/c-d--e.f'],
    ['UPPER/app', 'UPPER/app', 'UPPER/app'],
  ] as const) {
    test(`reads ${text}`, () => {
      const reference = parseReference(text);
      assert.equal(canonicalString(reference), canonical);
      assert.equal(familiarString(reference), familiar);
    });
  }

  for (const [text, error] of [
    ['', /invalid reference format/],
    ['Debian', /repository name \(Debian\) must be lowercase/],
    ['user/App', /must be lowercase/],
    ['app:', /invalid reference format/],
    ['app:ta g', /invalid reference format/],
    ['app@sha256:123', /invalid reference format/],
    ['a//b', /invalid reference format/],
    ['-app', /invalid reference format/],
    ['../etc', /invalid reference format/],
    ['a'.repeat(64), /cannot specify 64-byte hexadecimal strings/],
    [`x/${'y'.repeat(256)}`, /must not be more than 255 characters/],
    ['app:'.padEnd(140, 'a'), /invalid reference format/],
  ] as const) {
    test(`refuses ${text.slice(0, 20)}`, () => assert.throws(() => parseReference(text), error));
  }

  test('withDefaultTag adds latest only where there is neither tag nor digest', () => {
    assert.equal(familiarString(withDefaultTag(parseReference('a'))), 'a:latest');
    assert.equal(familiarString(withDefaultTag(parseReference('a:1'))), 'a:1');
    assert.equal(familiarString(withDefaultTag(parseReference(`a@${digest}`))), `a@${digest}`);
  });
});
