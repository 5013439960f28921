import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { formatAptSources, readAptSources, sourcesForSuite } from './apt-sources.ts';

describe('readAptSources', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'berth-image-apt-'));
    mkdirSync(join(directory, 'sources.list.d'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('reads both styles, without source archives, comments and disabled stanzas', async () => {
    writeFileSync(
      join(directory, 'sources.list'),
      '# deb http://old.example/x bookworm main\ndeb [arch=amd64 signed-by=/k.gpg] http://a.example/debian bookworm main contrib # note\ndeb-src http://a.example/debian bookworm main\n',
    );
    writeFileSync(
      join(directory, 'sources.list.d', 'debian.sources'),
      'Types: deb deb-src\n# comment\nURIs: http://b.example/debian\nSuites: bookworm\n bookworm-updates\nComponents: main\nSigned-By: /b.gpg\n\nTypes: deb\nURIs: http://c.example\nSuites: x\nComponents: main\nEnabled: no\n',
    );
    assert.deepEqual(await readAptSources(directory), [
      { uri: 'http://a.example/debian', suite: 'bookworm', components: ['main', 'contrib'], signedBy: '/k.gpg' },
      { uri: 'http://b.example/debian', suite: 'bookworm', components: ['main'], signedBy: '/b.gpg' },
      { uri: 'http://b.example/debian', suite: 'bookworm-updates', components: ['main'], signedBy: '/b.gpg' },
    ]);
  });

  it('reads an empty set-up as none', async () => {
    assert.deepEqual(await readAptSources(join(directory, 'missing')), []);
  });
});

describe('sourcesForSuite', () => {
  const source = (suite: string) => ({ uri: 'http://a.example/', suite, components: ['main'], signedBy: undefined });

  it("turns the release's archives to another one and leaves out the rest", () => {
    const found = sourcesForSuite(
      [source('bookworm'), source('bookworm-security'), source('stable')],
      'bookworm',
      'trixie',
    );
    assert.deepEqual(
      found.map(({ suite }) => suite),
      ['trixie', 'trixie-security'],
    );
    assert.match(
      formatAptSources(found),
      /^Types: deb\nURIs: http:\/\/a.example\/\nSuites: trixie\nComponents: main\n/,
    );
  });

  it('says what to do when the host has no archive of its release', () => {
    assert.throws(() => sourcesForSuite([source('stable')], 'bookworm', 'bookworm'), /add one to/);
  });
});
