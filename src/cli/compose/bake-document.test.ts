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

test('secrets are named by their source, images of other services by their targets, also of services that are off', () => {
  const document = bakeDocument(
    {
      ...emptyProject('app'),
      services: {
        web: {
          name: 'web',
          command: null,
          entrypoint: null,
          networks: {},
          build: {
            context: '/shop',
            secrets: [{ source: 'token', target: 'renamed' }, { source: 'word' }],
            additional_contexts: { base: 'service:below', lib: '/lib' },
          },
        },
      },
      disabledServices: {
        below: { name: 'below', command: null, entrypoint: null, networks: {}, build: { context: '/below' } },
      },
      secrets: {
        token: { name: 'app_token', file: '/shop/token' },
        word: { name: 'app_word', environment: 'WORD', content: 'never shown' },
      },
    },
    { targets: ['web', 'below'], args: {}, noCache: false, pull: false, push: false },
  );
  const { web, below } = document.target as Record<string, Record<string, unknown>>;
  assert.deepEqual(web?.secret, ['id=renamed,type=file,src=/shop/token', 'id=word,type=env,env=WORD']);
  assert.deepEqual(web?.contexts, { base: 'target:below', lib: '/lib' });
  assert.equal(below?.context, '/below');
});
