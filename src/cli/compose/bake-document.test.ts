import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyProject } from '#compose';
import { bakeDocument } from './bake-document.ts';

test('a file of buildx bake has a target for every build and a group of those asked for', () => {
  const service = (name: string, build?: object) => ({ name, command: null, entrypoint: null, networks: {}, ...build });
  const document = bakeDocument(
    {
      ...emptyProject('app'),
      workingDir: '/shop',
      services: {
        web: service('web', { build: { context: '/shop/web', args: { A: 'file', B: null }, target: 'final' } }),
        base: service('base', { image: 'base:1', build: { context: '/shop', dockerfile_inline: `FROM \${X}` } }),
        db: service('db'),
      },
    },
    { targets: ['web'], args: { A: 'flag' }, noCache: true, pull: false, push: false },
  );
  const labels = (name: string) => ({
    'com.docker.compose.project': 'app',
    'com.docker.compose.service': name,
    'com.docker.compose.version': '2.40.3',
  });
  assert.deepEqual(document, {
    group: { default: { targets: ['web'] } },
    target: {
      web: {
        context: '/shop/web',
        dockerfile: '/shop/web/Dockerfile',
        args: { A: 'flag' },
        labels: labels('web'),
        tags: ['app-web'],
        target: 'final',
        'no-cache': true,
        output: ['type=docker'],
      },
      base: {
        context: '/shop',
        'dockerfile-inline': `FROM $\${X}`,
        args: { A: 'flag' },
        labels: labels('base'),
        tags: ['base:1'],
        'no-cache': true,
        output: ['type=docker'],
      },
    },
  });
});
