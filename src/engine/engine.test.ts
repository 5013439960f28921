import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import koffi from 'koffi';
import { isBerthError } from '#base';
import type { OutputChunk } from '#runtime';
import { EngineFixture, enterPrivateMounts } from '#testkit';

enterPrivateMounts();
// A network namespace of its own plays the host: bridge and firewall of the machine are not touched.
const CLONE_NEWNET = 0x40000000;
koffi.load('libc.so.6').func('int unshare(int flags)')(CLONE_NEWNET);

let fixture: EngineFixture;
before(async () => {
  fixture = await EngineFixture.create();
});
after(() => fixture[Symbol.asyncDispose]());

async function text(output: AsyncIterable<OutputChunk>): Promise<string> {
  let all = '';
  for await (const { data } of output) all += data.toString();
  return all;
}

const everything = { stdin: false, stdout: true, stderr: true, logs: false, stream: true };
const armed = { registered: () => {}, signal: new AbortController().signal };

async function outputOf(
  args: string[],
  ...rest: [Parameters<EngineFixture['request']>[1]?, Parameters<EngineFixture['request']>[2]?]
) {
  const { containers } = fixture.engine;
  const { id } = await containers.create(fixture.request(args, ...rest));
  const attachment = await containers.attach(id, everything);
  const exit = containers.wait(id, 'next-exit', armed);
  await containers.start(id);
  const output = await text(attachment.output);
  const { exitCode } = await exit;
  await containers.remove(id, { force: false, volumes: true, link: false });
  return { output, exitCode };
}

describe('containers on real rooms', () => {
  test('an attached client sees all output from before the start, and the exit code', async () => {
    const { output, exitCode } = await outputOf(['sh', '-c', 'echo out; echo err >&2; exit 3']);
    assert.deepEqual(output.split('\n').sort(), ['', 'err', 'out']);
    assert.equal(exitCode, 3);
  });

  test('--rm removes by itself, and "removed" is answered after it', async () => {
    const { containers } = fixture.engine;
    const { id } = await containers.create(fixture.request(['true'], {}, { autoRemove: true }));
    const removed = containers.wait(id, 'removed', armed);
    await containers.start(id);
    assert.deepEqual(await removed, { exitCode: 0 });
    await assert.rejects(containers.get(id), { message: `No such container: ${id}` });
  });

  test('a program that is not there is 127, one that cannot run is 126, with the texts clients match', async () => {
    const { containers } = fixture.engine;
    for (const [program, code, words] of [
      ['nosuch', 127, /exec: "nosuch": executable file not found in \$PATH/],
      ['/etc/passwd', 126, /permission denied/],
    ] as const) {
      const { id } = await containers.create(fixture.request([program]));
      await assert.rejects(containers.start(id), words);
      const { state } = await containers.get(id);
      assert.equal(state.exitCode, code);
      assert.equal(state.status, 'created');
      assert.match(state.error, words);
      await containers.remove(id, { force: false, volumes: false, link: false });
    }
  });

  test('an init that ignores the stop signal is killed without waiting the timeout out', async () => {
    const { containers } = fixture.engine;
    const id = await fixture.run(fixture.request(['sleep', '1000']));
    await containers.stop(id, { timeout: -1 });
    const { state } = await containers.get(id);
    assert.equal(state.exitCode, 137);
    assert.equal(state.status, 'exited');
    await containers.remove(id, { force: false, volumes: false, link: false });
  });

  test('exec runs inside with output and exit code; a missing program is told to the client', async () => {
    const { containers, execs } = fixture.engine;
    const id = await fixture.run(fixture.request(['sleep', '1000'], { name: 'execs' }));
    const exec = async (cmd: string[]) => {
      const request = {
        container: 'execs',
        cmd,
        env: ['A=b'],
        workingDir: '',
        user: '',
        privileged: false,
        tty: false,
      };
      const execId = await execs.create({ ...request, attachStdin: false, attachStdout: true, attachStderr: true });
      const attachment = await execs.start(execId, { detach: false, tty: false });
      assert.ok(attachment);
      const output = await text(attachment.output);
      return { output, exitCode: (await execs.get(execId)).exitCode };
    };
    assert.deepEqual(await exec(['sh', '-c', 'echo $A; exit 4']), { output: 'b\n', exitCode: 4 });
    const missing = await exec(['nosuch']);
    assert.equal(missing.exitCode, 127);
    assert.match(missing.output, /executable file not found/);
    await containers.remove(id, { force: true, volumes: false, link: false });
  });

  test('a new volume is filled from the image, and lives until the container is removed with its volumes', async () => {
    const changes = { volumes: ['/etc'] };
    const { output } = await outputOf(['cat', '/etc/passwd'], changes);
    assert.match(output, /^root:/);
    assert.deepEqual(await fixture.volumes.list(), []);
  });

  test('an engine that comes back takes over what runs and records what ended', async () => {
    const long = await fixture.run(fixture.request(['sleep', '1000'], { name: 'long' }));
    const short = await fixture.run(
      fixture.request(['sh', '-c', 'read line; exit 7'], {
        process: { ...fixture.request(['sh', '-c', 'read line; exit 7']).process, openStdin: true },
      }),
    );
    const attachment = await fixture.engine.containers.attach(short, { ...everything, stdin: true });
    await fixture.engine.shutdown();
    await attachment.write(Buffer.from('go\n'));
    await text(attachment.output);
    await fixture.restart();
    const { containers } = fixture.engine;
    const { state } = await containers.get(short);
    if (state.status === 'running') await containers.wait(short, 'not-running', armed);
    assert.equal((await containers.get(short)).state.exitCode, 7);
    assert.equal((await containers.get('long')).state.status, 'running');
    await containers.remove(short, { force: true, volumes: false, link: false });
    await containers.kill(long, 'KILL');
    assert.equal((await containers.get(long)).state.exitCode, 137);
    await containers.remove(long, { force: true, volumes: false, link: false });
  });

  test('files go in and out of a stopped container', async () => {
    const { containers } = fixture.engine;
    const { id } = await containers.create(fixture.request(['cat', '/tmp/copied']));
    const { archive, stat } = await containers.readArchive(id, '/etc/passwd', armed.signal);
    assert.equal(stat.name, 'passwd');
    await containers.writeArchive(id, '/tmp', archive, {
      noOverwriteDirNonDir: false,
      copyUidGid: false,
      signal: armed.signal,
    });
    assert.equal((await containers.statPath(id, '/tmp/passwd')).name, 'passwd');
    assert.deepEqual(await containers.changes(id), [
      { path: '/tmp', kind: 0 },
      { path: '/tmp/passwd', kind: 1 },
    ]);
    await assert.rejects(containers.statPath(id, '/nosuch'), (error) => isBerthError(error, 'not-found'));
    await containers.remove(id, { force: false, volumes: false, link: false });
  });

  test('a restart policy brings it back until its retries are used up', async () => {
    const { containers } = fixture.engine;
    const restart = { name: 'on-failure', maximumRetryCount: 2 } as const;
    const { id } = await containers.create(fixture.request(['false'], {}, { restart }));
    const reader = new AbortController();
    const died: string[] = [];
    const query = { filters: { type: ['container'], event: ['die'], container: [id] }, signal: reader.signal };
    const watching = (async () => {
      for await (const event of fixture.journal.read(query)) {
        died.push(event.attributes.exitCode ?? '');
        if (died.length === 3) reader.abort();
      }
    })();
    await containers.start(id);
    await watching;
    const { state } = await containers.get(id);
    assert.deepEqual(died, ['1', '1', '1']);
    assert.equal(state.restartCount, 2);
    await containers.remove(id, { force: true, volumes: false, link: false });
  });

  test('a health check turns the state healthy and says so', async () => {
    const { containers } = fixture.engine;
    const healthcheck = { Test: ['CMD-SHELL', 'echo fine'], Interval: 20_000_000 };
    const { id } = await containers.create(fixture.request(['sleep', '1000'], { healthcheck }));
    const filters = { event: ['health_status'], container: [id] };
    await containers.start(id);
    assert.equal((await containers.get(id)).state.health?.status, 'starting');
    for await (const event of fixture.journal.read({ since: 0n, filters, signal: armed.signal })) {
      assert.equal(event.action, 'health_status: healthy');
      break;
    }
    const { health } = (await containers.get(id)).state;
    assert.equal(health?.status, 'healthy');
    assert.equal(health?.log[0]?.output, 'fine\n');
    await containers.remove(id, { force: true, volumes: false, link: false });
  });

  test('a name is taken once, and found by name, id and prefix', async () => {
    const { containers } = fixture.engine;
    const { id } = await containers.create(fixture.request(['true'], { name: 'taken' }));
    await assert.rejects(containers.create(fixture.request(['true'], { name: 'taken' })), {
      message:
        `Conflict. The container name "/taken" is already in use by container "${id}". ` +
        'You have to remove (or rename) that container to be able to reuse that name.',
    });
    for (const name of ['taken', '/taken', id, id.slice(0, 8)]) assert.equal((await containers.get(name)).id, id);
    await containers.rename(id, 'renamed');
    await assert.rejects(containers.get('taken'), { message: 'No such container: taken' });
    await containers.remove('renamed', { force: false, volumes: false, link: false });
  });

  test('a container shows the ways of Docker from inside', async () => {
    const host = { resources: { memory: 64 << 20, nanoCpus: 5e8, pidsLimit: 50 }, tmpfs: { '/scratch': 'size=1m' } };
    const process = { ...fixture.request([]).process, user: 'nobody', workingDir: '/made/for/me' };
    const script =
      'id -u; pwd; hostname; cat /etc/hosts | grep -c "$(hostname)"; mount | grep -c "/scratch type tmpfs"';
    const { output } = await outputOf(
      [],
      { hostname: 'inside', process: { ...process, cmd: ['sh', '-c', script] } },
      host,
    );
    assert.equal(output, '65534\n/made/for/me\ninside\n1\n1\n');
  });

  test('a network that is not there fails the start, and nothing stays behind', async () => {
    const { containers } = fixture.engine;
    const { id } = await containers.create(fixture.request(['true'], {}, { networkMode: 'nosuch' }));
    await assert.rejects(containers.start(id), {
      message: 'failed to set up container networking: network nosuch not found',
    });
    assert.equal((await containers.get(id)).state.exitCode, 128);
    await containers.remove(id, { force: false, volumes: false, link: false });
  });
});
