import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { emptyProject, type Project, type Service } from '#compose';
import { serviceExtras } from './service-extras.ts';

const service = (name: string, build: Service['build']): Service => ({
  name,
  command: null,
  entrypoint: null,
  networks: {},
  ...(build ? { build } : {}),
});

async function project(t: TestContext, build: Service['build']): Promise<{ project: Project; web: Service }> {
  const workingDir = mkdtempSync(join(tmpdir(), 'compose-extras-'));
  writeFileSync(join(workingDir, 'token'), 'sesame');
  mkdirSync(join(workingDir, 'lib'));
  const server = createServer().listen(join(workingDir, 'agent'));
  await once(server, 'listening');
  t.after(() => {
    server.close();
    rmSync(workingDir, { recursive: true });
  });
  const web = service('web', build);
  return {
    web,
    project: {
      ...emptyProject('app'),
      workingDir,
      services: { web },
      disabledServices: { below: { ...service('below', {}), image: 'me/below:1' } },
      secrets: {
        file: { name: 'app_file', file: join(workingDir, 'token') },
        word: { name: 'app_word', environment: 'WORD', content: 'hush' },
        unset: { name: 'app_unset', environment: 'UNSET' },
        outside: { name: 'outside', external: true },
        gone: { name: 'app_gone', file: join(workingDir, 'gone') },
      },
      locate: (path) => `compose.yaml:${path.length}`,
    },
  };
}

const plain = { env: {}, ssh: '', warn: () => undefined };

test('a build that names nothing beside its context needs no session', async (t) => {
  const { project: app, web } = await project(t, { context: '.' });
  assert.equal(await serviceExtras(web, app, plain), undefined);
});

test('secrets go by target or name, of files and variables; owners, modes and unset variables are warned of', async (t) => {
  const { project: app, web } = await project(t, {
    secrets: [{ source: 'file', target: 'renamed', mode: '0400' }, { source: 'word' }, { source: 'unset' }],
  });
  const warnings: string[] = [];
  const extras = await serviceExtras(web, app, { ...plain, warn: (text) => warnings.push(text) });
  const values = await Promise.all([...(extras?.secrets ?? [])].map(async ([id, read]) => `${id}=${await read()}`));
  assert.deepEqual(values, ['renamed=sesame', 'word=hush', 'unset=']);
  assert.deepEqual(warnings, [
    'secrets `uid`, `gid` and `mode` are not supported by BuildKit, they will be ignored',
    'service "web": variable "UNSET" of the build secret "unset" is not set: the secret is empty',
  ]);
});

test('agents are those of the file and of --ssh, which wins over one of its name', async (t) => {
  const { project: app, web } = await project(t, { ssh: ['own=agent', 'default=/nowhere'] });
  const agent = join(app.workingDir, 'agent');
  const extras = await serviceExtras(web, app, { ...plain, ssh: 'default', env: { SSH_AUTH_SOCK: agent } });
  assert.deepEqual(
    [...(extras?.agents ?? [])],
    [
      ['own', agent],
      ['default', agent],
    ],
  );
});

test('contexts are directories, images, and the images of other services', async (t) => {
  const { project: app, web } = await project(t, {
    additional_contexts: { lib: 'lib', base: 'docker-image://busybox', below: 'service:below' },
  });
  const extras = await serviceExtras(web, app, plain);
  assert.deepEqual(Object.fromEntries(extras?.contexts ?? []), {
    lib: { kind: 'directory', path: join(app.workingDir, 'lib') },
    base: { kind: 'image', reference: 'busybox:latest' },
    below: { kind: 'image', reference: 'me/below:1' },
  });
});

test('what is missing is told with service, key and place', async (t) => {
  const failures: [Service['build'], RegExp][] = [
    [
      { secrets: [{ source: 'word' }, { source: 'gone' }] },
      /^service "web": build\.secrets: failed to stat \S+\/gone: .* \(services\.web\.build\.secrets\.1, compose\.yaml:5\)$/,
    ],
    [
      { secrets: [{ source: 'outside' }] },
      /^service "web": build\.secrets: build\.secrets only supports environment or file-based secrets: "outside" \(/,
    ],
    [
      { ssh: ['default'] },
      /^service "web": build\.ssh: .*SSH_AUTH_SOCK is set \(services\.web\.build\.ssh, compose\.yaml:4\)$/,
    ],
    [
      { additional_contexts: { lib: 'none' } },
      /^service "web": build\.additional_contexts: failed to get build context lib: stat none: .* \(services\.web\.build\.additional_contexts\.lib, /,
    ],
  ];
  for (const [build, message] of failures) {
    const { project: app, web } = await project(t, build);
    await assert.rejects(serviceExtras(web, app, plain), { message });
  }
});
