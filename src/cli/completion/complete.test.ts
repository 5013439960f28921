import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Terminal } from '../command/index.ts';
import { complete } from './complete.ts';

const directory = mkdtempSync(join(tmpdir(), 'cli-completion-'));
const socket = join(directory, 'daemon.sock');
const container = (name: string, state: string) => ({ Names: [`/${name}`], Image: 'img', State: state, Status: state });
const answers: Readonly<Record<string, unknown>> = {
  '/containers/json': [container('web', 'running'), container('worker', 'exited'), container('wall', 'paused')],
  '/images/json': [{ RepoTags: ['shop:latest', 'shop:2'] }, { RepoTags: ['<none>:<none>'] }],
  '/networks': [{ Name: 'bridge', Driver: 'bridge' }],
  '/volumes': { Volumes: [{ Name: 'data', Driver: 'local' }] },
};
const daemon = createServer((request, response) => {
  const [path = ''] = (request.url ?? '').replace(/^\/v[\d.]+/, '').split('?');
  const found = path === '/_ping' ? 'OK' : answers[path];
  const all = request.url?.includes('all=1') || request.url?.includes('all=true');
  const listed =
    path === '/containers/json' && !all
      ? (found as { State: string }[]).filter((one) => one.State === 'running')
      : found;
  response.setHeader('content-type', 'application/json').setHeader('api-version', '1.51');
  response.end(JSON.stringify(listed));
});

before(async () => {
  await new Promise<void>((resolve) => daemon.listen(socket, resolve));
  writeFileSync(join(directory, 'compose.yaml'), 'services: { api: { image: shop }, db: { image: data } }\n');
});
after(() => {
  daemon.close();
  rmSync(directory, { recursive: true });
});

async function words(line: string, host = socket): Promise<string[]> {
  const env = { DOCKER_HOST: `unix://${host}`, HOME: directory };
  const { stdin, stdout, stderr } = process;
  const terminal: Terminal = { stdin, stdout, stderr, env, cwd: directory };
  const lines = (await complete(line.split(' '), terminal)).trimEnd().split('\n');
  return lines.map((answer) => answer.split('\t')[0] ?? '');
}

test('names of objects stand where the usage line has them, for what the command can do', async () => {
  assert.deepEqual(await words('stop w'), ['web', ':4']);
  assert.deepEqual(await words('start w'), ['worker', ':4']);
  assert.deepEqual(await words('container unpause '), ['wall', ':4']);
  assert.deepEqual(await words('rm web w'), ['wall', 'worker', ':4']);
  assert.deepEqual(await words('run -it --name x shop:'), ['shop:2', 'shop:latest', ':4']);
  assert.deepEqual(await words('cp we'), ['web:', ':2']);
  assert.deepEqual(await words('volume rm '), ['data', ':4']);
  assert.deepEqual(await words('run --network b'), ['bridge', ':4']);
  assert.deepEqual(await words('run --network=b'), ['--network=bridge', ':4']);
  assert.deepEqual(await words('inspect d'), ['data', ':4']);
});

test('services are those of the project that the flags before mean', async () => {
  assert.deepEqual(await words('compose up '), ['api', 'db', ':4']);
  assert.deepEqual(await words('compose -f nosuch.yaml up '), [':4']);
  assert.deepEqual(await words('compose logs -f d'), ['db', ':4']);
});

test('words of a command line that is wrong, or without a daemon, are just not offered', async () => {
  assert.deepEqual(await words('nosuch thing '), [':4']);
  assert.deepEqual(await words('stop ', join(directory, 'nobody.sock')), [':4']);
  assert.deepEqual(await words('-H a -H b ps --al'), [':4']);
  assert.deepEqual(await words('run --nosuch sh'), ['shop', 'shop:2', 'shop:latest', ':4']);
  assert.deepEqual(await words('run shop --en'), [':4']);
});

test('flags take their own words, and files where a flag has none', async () => {
  assert.deepEqual(await words('run --restart un'), ['unless-stopped', ':4']);
  assert.deepEqual(await words('run --env-file '), [':0']);
  assert.deepEqual(await words('--log-level w'), ['warn', ':4']);
});
