import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Docker, TestDaemon } from '#testkit';

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
});

/** The body at `url`; the server may still be starting, so curl tries for some seconds. */
async function answer(url: string): Promise<string> {
  const retry = ['--retry', '50', '--retry-delay', '0', '--retry-max-time', '20', '--retry-all-errors'];
  return execFileSync('curl', ['-sf', ...retry, url], { encoding: 'utf8' });
}
