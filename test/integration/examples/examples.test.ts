import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Docker, TestDaemon } from '#testkit';
import { ComposeExample } from './compose-example.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

describe('examples, on a base image made from packages', () => {
  let daemon: TestDaemon;
  let berth: Docker;
  before(async () => {
    daemon = await TestDaemon.start();
    berth = new Docker(daemon.host, `${root}bin/berth`);
  });
  after(() => daemon[Symbol.asyncDispose]());

  test('bootstrap makes a Debian image, bit for bit the same when made again', async () => {
    await berth.run('bootstrap', 'debian:bookworm-slim');
    const first = await berth.run('image', 'inspect', '-f', '{{.Id}}', 'debian:bookworm-slim');
    assert.match(await berth.run('run', '--rm', 'debian:bookworm-slim', 'cat', '/etc/debian_version'), /^12\./);
    await berth.run('rmi', 'debian:bookworm-slim');
    await berth.run('bootstrap', 'debian:bookworm-slim');
    assert.equal(await berth.run('image', 'inspect', '-f', '{{.Id}}', 'debian:bookworm-slim'), first);
  });

  test('node-hello is built in stages and answers on its published port', async () => {
    await berth.run('build', '-q', '-t', 'node-hello', '--build-arg', 'GREETING=ahoy', `${root}examples/node-hello`);
    await berth.run('run', '-d', '--name', 'hello', '-p', '127.0.0.1:0:3000', 'node-hello');
    const address = await berth.run('port', 'hello', '3000');
    assert.match(await answer(`http://${address}/x`), /^ahoy from [0-9a-f]{12}, you asked for \/x/);
    // The server ends by itself on SIGTERM: the signal arrives and the exit code is its own.
    await berth.run('stop', 'hello');
    assert.equal(await berth.run('inspect', '-f', '{{.State.ExitCode}}', 'hello'), '0');
    await berth.run('rm', 'hello');
  });

  test('guestbook keeps an entry over a restart of its database', async () => {
    for (const part of ['db', 'web']) {
      await berth.run('build', '-q', '-t', `guestbook-${part}`, `${root}examples/guestbook/${part}`);
    }
    await berth.run('network', 'create', 'guestbook');
    await berth.run('volume', 'create', 'guestbook-data');
    await berth.run(
      'run',
      '-d',
      '--name',
      'db',
      '--network',
      'guestbook',
      '-v',
      'guestbook-data:/data',
      'guestbook-db',
    );
    await berth.run('run', '-d', '--name', 'web', '--network', 'guestbook', '-p', '127.0.0.1:0:5000', 'guestbook-web');
    const url = `http://${await berth.run('port', 'web', '5000')}`;
    await answer(`${url}/healthz`);
    execFileSync('curl', ['-sf', '-d', 'name=me', '-d', 'text=kept', `${url}/`]);
    await berth.run('restart', 'db');
    await answer(`${url}/healthz`);
    const [entry] = JSON.parse(await answer(`${url}/api/entries`)) as { name: string; text: string }[];
    assert.deepEqual([entry?.name, entry?.text], ['me', 'kept']);
    await berth.run('rm', '-f', 'web', 'db');
    await berth.run('network', 'rm', 'guestbook');
    await berth.run('volume', 'rm', 'guestbook-data');
  });

  test('guestbook-stack keeps an entry in PostgreSQL over a restart, with a password that inspect does not show', async () => {
    await using app = new ComposeExample(daemon.host, 'guestbook-stack', { GUESTBOOK_PORT: '0' });
    await app.run('up', '-d', '--wait');
    const url = `http://${await app.run('port', 'web', '5000')}`;
    execFileSync('curl', ['-sf', '-d', 'name=me', '-d', 'text=kept', url]);
    const inspected = await berth.run('inspect', 'guestbook-stack-db-1', 'guestbook-stack-web-1');
    assert.doesNotMatch(inspected, /change-me/);
    assert.equal(await app.run('exec', '-T', 'web', 'cat', '/run/secrets/db_password'), 'change-me');
    await app.run('restart', 'db');
    await app.run('up', '-d', '--wait');
    const again = `http://${await app.run('port', 'web', '5000')}`;
    const { entries } = JSON.parse(await answer(again)) as { entries: object[] };
    assert.deepEqual(entries, [{ name: 'me', text: 'kept' }]);
    assert.match(await app.run('logs', '--no-color', 'web'), /^web-1 {2}\| .*Debug mode: off/m);
    await app.run('down', '-v');
    assert.equal(await berth.run('volume', 'ls', '-q', '--filter', 'name=guestbook-stack'), '');
  });

  test('scaled: nginx finds every container of a service, and each has a port of the range', async () => {
    await using app = new ComposeExample(daemon.host, 'scaled', { PROXY_PORT: '0', WEB_PORTS: '28081-28089' });
    await app.run('up', '-d', '--scale', 'web=3');
    const proxy = `http://${await app.run('port', 'proxy', '80')}`;
    const direct = new Set<string>();
    const ports = await Promise.all(['1', '2', '3'].map((index) => app.run('port', '--index', index, 'web', '8000')));
    for (const port of ports) {
      assert.match(port, /:2808[1-9]$/);
      direct.add(await answer(`http://${port}`));
    }
    assert.equal(direct.size, 3);
    assert.ok(direct.has(await answer(proxy)));
    await app.run('scale', 'web=1');
    // nginx may ask a container that has gone until its answer of the resolver is a second old: curl tries again.
    assert.equal(await answer(proxy), await answer(`http://${await app.run('port', 'web', '8000')}`));
  });

  test('hot-reload: a saved file is served, settings restart the container, the Dockerfile makes a new one', async () => {
    await using app = new ComposeExample(daemon.host, 'hot-reload', { WEB_PORT: '127.0.0.1:28090' });
    const url = 'http://127.0.0.1:28090';
    const watch = app.follow('up', '--watch', '--build');
    await watch.see(/Watch enabled/);
    assert.equal(await answer(url), 'first page / first settings / 1\n');
    app.write('src/page.txt', 'second page');
    await watch.see(/Syncing service "web"/);
    await answerOf(url, 'second page / first settings / 1\n');
    app.write('settings.txt', 'second settings');
    await watch.see(/service\(s\) \["web"\] restarted/);
    await answerOf(url, 'second page / second settings / 1\n');
    app.write('Dockerfile', app.read('Dockerfile').replace('GENERATION=1', 'GENERATION=2'));
    await watch.see(/service\(s\) \["web"\] successfully built/);
    await answerOf(url, 'second page / second settings / 2\n');
    await watch.end('SIGINT');
  });

  test('dev-prod: the override is for development, compose.prod.yaml for production', async () => {
    await using app = new ComposeExample(daemon.host, 'dev-prod', { WEB_PORT: '0' });
    const asked = async (...files: string[]) =>
      JSON.parse(await answer(`http://${await app.run(...files, 'port', 'web', '8000')}`)) as object;
    await app.run('up', '-d', '--wait');
    assert.deepEqual(await asked(), { mode: 'development', greeting: 'hello' });
    assert.match(await app.run('--profile', 'tools', 'run', '--rm', '-T', 'tools'), /^12\./);
    const production = ['-f', 'compose.yaml', '-f', 'compose.prod.yaml'];
    await app.run(...production, 'up', '-d', '--wait');
    assert.deepEqual(await asked(...production), { mode: 'production', greeting: null });
    const { code } = await berth.try(['exec', 'dev-prod-web-1', 'touch', '/app/x']);
    assert.notEqual(code, 0);
  });
});

/** The body at `url`; the server may still be starting, so curl tries for some seconds. */
async function answer(url: string): Promise<string> {
  const retry = ['--retry', '50', '--retry-delay', '0', '--retry-max-time', '20', '--retry-all-errors'];
  return execFileSync('curl', ['-sf', ...retry, url], { encoding: 'utf8' });
}

/** Asks until the answer is `wanted`: what changed takes a moment to be served. */
async function answerOf(url: string, wanted: string): Promise<void> {
  let got = '';
  for (let tries = 0; tries < 100 && got !== wanted; tries++) {
    got = await answer(url);
    if (got !== wanted) await setTimeout(100);
  }
  assert.equal(got, wanted);
}
