import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get, request } from 'node:http';
import { dirname } from 'node:path';
import { describe, test } from 'node:test';
import { daemonForTests, freePort } from '#testkit';
import { ProjectDirectory } from './project-directory.ts';
import { RequestStream } from './request-stream.ts';

const swaps = Number(process.env.BERTH_TEST_SWAPS ?? 2);
const perSecond = Number(process.env.BERTH_TEST_SWAP_RATE ?? 100);

/** A server that ends as one should: it says goodbye on the connections it has before it closes them. */
const server = `
import { createServer } from 'node:http';
let ending = false;
const server = createServer((request, response) => {
  if (ending) response.setHeader('connection', 'close');
  response.end(process.env.RELEASE);
});
setTimeout(() => server.listen(8080), Number(process.env.WARM_UP ?? 0));
process.on('SIGTERM', () => {
  ending = true;
  setTimeout(() => { server.close(() => process.exit(0)); server.closeAllConnections(); }, 500);
});
`;

interface Release {
  readonly port: number;
  readonly release: string;
  readonly probe?: string;
  readonly more?: string;
}

/** A Compose file with one service that runs this Node in a container. */
function file({ port, release, probe = 'wget -qO- http://127.0.0.1:8080/', more = '' }: Release): string {
  return `
services:
  web:
    image: busybox
    command: [/node/${process.execPath.slice(dirname(process.execPath).length + 1)}, /server.mjs]
    environment: { RELEASE: "${release}", WARM_UP: "300" }
    ports: ["127.0.0.1:${port}:8080"]
    volumes:
      - "${dirname(process.execPath)}:/node:ro"
      - "/usr/lib:/lib:ro"
      - "/usr/lib64:/lib64:ro"
      - "./server.mjs:/server.mjs:ro"
    healthcheck: { test: "${probe}", interval: 100ms, timeout: 5s, retries: 50, start_period: 10s, start_interval: 100ms }
    x-update: { order: start-first, drain: 1s, timeout: 60s }
${more}`;
}

/** Resolves at the next event of a container with this action. */
async function eventOf(socketPath: string, action: string): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: [action] }));
  const call = request({ socketPath, path: `/events?filters=${filters}` });
  call.end();
  call.on('error', () => undefined);
  const [response] = await once(call, 'response');
  response.on('error', () => undefined);
  await once(response, 'data');
  call.destroy();
}

describe('compose up with x-update: start-first', () => {
  const { daemon } = daemonForTests();

  test(`${swaps} swaps under ${perSecond} requests a second fail none of them`, async () => {
    const port = await freePort();
    await using project = new ProjectDirectory(daemon.host, file({ port, release: 'r0' }));
    project.write('server.mjs', server);
    await project.run('up', '-d', '--wait');
    const requests = new RequestStream(`http://127.0.0.1:${port}/`, perSecond);
    for (let swap = 1; swap <= swaps; swap++) {
      project.write('compose.yaml', file({ port, release: `r${swap}` }));
      await project.run('up', '-d', '--wait');
    }
    const counts = await requests.end();
    if (process.env.BERTH_TEST_SWAPS) console.log(counts);
    assert.deepEqual([...counts.failures], []);
    const answers = [...counts.answers.keys()].sort();
    assert.deepEqual(answers, Array.from({ length: swaps + 1 }, (_, n) => `200 r${n}`).sort());
    assert.deepEqual(Object.keys(await project.ids()), ['web-1']);
  });

  test('a release that does not get healthy or ends at once is rolled back, and the old one served all the time', async () => {
    const port = await freePort();
    await using project = new ProjectDirectory(daemon.host, file({ port, release: 'good' }));
    project.write('server.mjs', server);
    await project.run('up', '-d', '--wait');
    const ids = await project.ids();
    const requests = new RequestStream(`http://127.0.0.1:${port}/`, 20);
    const bad = file({ port, release: 'bad', probe: 'echo not today; exit 1' }).replace(
      /retries.*start_interval/,
      'retries: 1, start_interval',
    );
    project.write('compose.yaml', bad);
    const sick = await project.try('up', '-d');
    assert.equal(sick.code, 1);
    assert.match(
      sick.stderr,
      /is unhealthy: not today\nrolled back, service "web" is as it was: \S+-web-1 was not stopped/,
    );
    project.write(
      'compose.yaml',
      file({ port, release: 'gone' }).replace(/command:.*/, 'command: sh -c "echo cannot start; exit 3"'),
    );
    const gone = await project.try('up', '-d', '--wait');
    assert.equal(gone.code, 1);
    assert.match(gone.stderr, /exited \(3\); its last output: cannot start\nrolled back/);
    const counts = await requests.end();
    assert.deepEqual([[...counts.failures], [...counts.answers.keys()]], [[], ['200 good']]);
    assert.deepEqual(await project.ids(), ids);
  });

  test('the name of the service always leads to the container that serves', async () => {
    const port = await freePort();
    const more = '  asks: { image: busybox, command: sleep 600, init: true }\n';
    await using project = new ProjectDirectory(daemon.host, file({ port, release: 'one', more }));
    project.write('server.mjs', server);
    await project.run('up', '-d', '--wait');
    project.write('compose.yaml', file({ port, release: 'two', more }));
    const updated = project.run('up', '-d', '--wait');
    let running = true;
    void updated.finally(() => {
      running = false;
    });
    const answers: string[] = [];
    while (running) answers.push(await project.run('exec', '-T', 'asks', 'wget', '-qO-', 'http://web:8080/'));
    answers.push(await project.run('exec', '-T', 'asks', 'wget', '-qO-', 'http://web:8080/'));
    await updated;
    // First only the old one, then only the new one: the new one was not asked before it was ready.
    assert.deepEqual([...new Set(answers)], ['one', 'two']);
    assert.equal(answers.lastIndexOf('one') + 1, answers.indexOf('two'));
  });

  test('a dry run shows the steps of a swap with their reasons', async () => {
    const port = await freePort();
    await using project = new ProjectDirectory(daemon.host, file({ port, release: 'one' }));
    project.write('server.mjs', server);
    await project.run('up', '-d', '--wait');
    project.write('compose.yaml', file({ port, release: 'two' }));
    const { stderr } = await project.try('--dry-run', 'up', '-d');
    for (const line of [
      /create container \S+-web-1: its configuration changed; x-update: start-first/,
      /start container \S+-web-1 beside [0-9a-f]{12}: the old one serves on until it is ready/,
      /prove container \S+-web-1: it must be healthy within 60 s/,
      /take over by \S+-web-1 from [0-9a-f]{12}: it is ready/,
      /drain container \S+-web-1: open connections may end, for 1 s at most/,
    ]) {
      assert.match(stderr, line);
    }
  });

  test('a swap that was interrupted after the change is completed by the next up, with the new container', async () => {
    const port = await freePort();
    await using project = new ProjectDirectory(daemon.host, file({ port, release: 'one' }));
    project.write('server.mjs', server);
    await project.run('up', '-d', '--wait');
    project.write('compose.yaml', file({ port, release: 'two' }).replace('drain: 1s', 'drain: 60s'));
    const keeper = new Agent({ keepAlive: true });
    const kept = await new Promise<string>((resolve, reject) => {
      get(`http://127.0.0.1:${port}/`, { agent: keeper }, (response) => {
        response.setEncoding('utf8').on('data', resolve);
      }).on('error', reject);
    });
    assert.equal(kept, 'one');
    // The connection that is kept holds the drain up, which is when the client is killed.
    const interrupted = project.start('up', '-d');
    await eventOf(daemon.socket, 'takeover');
    interrupted.kill('SIGKILL');
    await once(interrupted, 'exit');
    assert.equal(Object.keys(await project.ids()).length, 2);
    await daemon.kill();
    await daemon.start();
    await project.run('up', '-d', '--wait');
    keeper.destroy();
    assert.deepEqual(Object.keys(await project.ids()), ['web-1']);
    const answer = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    assert.equal(answer, 'two');
  });

  test('history tells what was done; diff what would be; rollback goes back to it, images too', async () => {
    const port = await freePort();
    await using project = new ProjectDirectory(daemon.host, file({ port, release: 'one' }));
    project.write('server.mjs', server);
    await project.run('up', '-d', '--wait');
    assert.deepEqual(await project.try('diff'), { code: 0, stdout: '', stderr: '' });
    project.write('compose.yaml', file({ port, release: 'two' }));
    const { code, stdout } = await project.try('diff');
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^service web: its configuration changed; x-update: start-first\n~ services.web.environment.RELEASE: "one" -> "two"$/m,
    );
    await project.run('up', '-d', '--wait');
    await project.run('up', '-d', '--wait');
    assert.equal(await project.run('history', '-q'), '2\n1');
    assert.match(
      await project.run('history'),
      /^2 .* \S+@\S+ .*web [0-9a-f]{12} \(its configuration changed; x-update/m,
    );
    const answer = async () => (await fetch(`http://127.0.0.1:${port}/`)).text();
    assert.equal(await answer(), 'two');
    assert.match((await project.try('rollback')).stderr, /Back to revision 1/);
    assert.equal(await answer(), 'one');
    assert.equal(await project.run('history', '-q'), '3\n2\n1');
    await project.run('rollback', '2');
    assert.equal(await answer(), 'two');
    assert.match((await project.try('rollback', '9')).stderr, /has no revision 9/);
  });

  test('logs show what earlier containers of a service wrote, until the service is gone', async () => {
    const says = (word: string) => `
services:
  web: { image: busybox, command: "sh -c 'echo ${word}; exec sleep 600'", init: true }
`;
    await using project = new ProjectDirectory(daemon.host, says('first'));
    await project.run('up', '-d', '--wait');
    project.write('compose.yaml', says('second'));
    await project.run('up', '-d', '--wait');
    assert.equal(await project.run('logs', '--no-log-prefix', 'web'), 'first\nsecond');
    assert.equal(await project.run('logs', '--no-log-prefix', '--tail', '5'), 'second');
    await project.run('down', '-t', '0');
    await project.run('up', '-d', '--wait');
    assert.equal(await project.run('logs', '--no-log-prefix'), 'second');
  });

  test('images stay at the digests of the lock file', async () => {
    const lock = `{"version":1,"images":{"busybox":"sha256:${'0'.repeat(64)}"}}`;
    await using project = new ProjectDirectory(
      daemon.host,
      'services: { web: { image: busybox, command: sleep 600 } }\n',
    );
    assert.match(
      (await project.try('up', '-d', '--locked')).stderr,
      /image busybox is not in \S+compose.lock; run compose lock/,
    );
    assert.match((await project.try('lock')).stderr, /busybox is only on this engine and was not locked/);
    project.write('compose.lock', lock);
    assert.match((await project.try('up', '-d', '--pull', 'never')).stderr, /No such image: busybox@sha256:0{64}/);
    project.write('compose.lock', '{"version":2,"images":{}}');
    assert.match((await project.try('up', '-d')).stderr, /compose.lock: version 2 is not known, only 1/);
  });
});
