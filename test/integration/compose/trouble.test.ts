import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { importBusybox, TestDaemon } from '#testkit';
import { type ComposeResult, ProjectDirectory } from './project-directory.ts';

/** Rounds in which a command is killed at a random instant; seed of these instants. */
const rounds = Number(process.env.BERTH_TEST_INTERRUPTIONS ?? 3);
let seed = Number(process.env.BERTH_TEST_SEED ?? 1);

/** A number from 0 to 1; the same seed gives the same row. */
function random(): number {
  seed = (seed * 1103515245 + 12345) % 2 ** 31;
  return seed / 2 ** 31;
}

const probe = 'healthcheck: { test: "true", interval: 1s, start_period: 5s, start_interval: 100ms }';

/** Two services that change with `release`: one is swapped, one is recreated in two containers. */
function file(release: number): string {
  return `
services:
  web:
    image: busybox
    init: true
    command: sleep 600
    environment: { RELEASE: "${release}" }
    volumes: [data:/data]
    ${probe}
    x-update: { order: start-first, drain: 1s }
    depends_on: { worker: { condition: service_started } }
    stop_grace_period: 1s
  worker:
    image: busybox
    init: true
    command: sleep 600
    environment: { RELEASE: "${release}" }
    scale: 2
    stop_grace_period: 1s
volumes: { data: {} }
`;
}

/** Messages of results that are failures. */
function failures(results: readonly ComposeResult[]): string[] {
  return results.filter(({ code }) => code !== 0).map(({ code, stderr }) => `${code}: ${stderr}`);
}

describe('compose in trouble', () => {
  let daemon: TestDaemon;
  before(async () => {
    daemon = await TestDaemon.start();
    importBusybox(daemon.socket);
  });
  after(() => daemon[Symbol.asyncDispose]());

  for (const victim of ['client', 'daemon'] as const) {
    test(`after the ${victim} was killed at any instant, the next up completes the state`, async () => {
      await using project = new ProjectDirectory(daemon.host, file(0));
      await project.run('up', '-d', '--wait');
      await project.run('exec', '-T', 'web', 'touch', '/data/kept');
      for (let round = 1; round <= rounds; round++) {
        project.write('compose.yaml', file(round));
        const words = random() < 0.2 ? ['down'] : ['up', '-d', '--wait'];
        const interrupted = project.start(...words);
        const ended = once(interrupted, 'exit');
        const instant = new Promise((resolve) => setTimeout(resolve, 100 + random() * 2000));
        await Promise.race([ended, instant]);
        if (victim === 'client') interrupted.kill('SIGKILL');
        else {
          await daemon.kill();
          await daemon.start();
        }
        await ended;
        await project.run('up', '-d', '--wait');
        const names = Object.keys(await project.ids()).sort();
        assert.deepEqual(names, ['web-1', 'worker-1', 'worker-2'], `round ${round} of ${words}`);
        await project.run('exec', '-T', 'web', 'test', '-e', '/data/kept');
        assert.deepEqual(await project.try('diff'), { code: 0, stdout: '', stderr: '' });
      }
    });
  }

  test('two who bring one project up at the same time both succeed, and each container is there once', async () => {
    await using project = new ProjectDirectory(daemon.host, file(0));
    assert.deepEqual(failures(await Promise.all([project.try('up', '-d'), project.try('up', '-d')])), []);
    project.write('compose.yaml', file(1));
    assert.deepEqual(failures(await Promise.all([project.try('up', '-d'), project.try('up', '-d')])), []);
    assert.deepEqual(Object.keys(await project.ids()).sort(), ['web-1', 'worker-1', 'worker-2']);
    assert.equal(await project.run('history', '-q'), '2\n1');
  });

  test('a down ends an up that is at work, which says so', async () => {
    const never =
      'services: { web: { image: busybox, init: true, command: sleep 600, healthcheck: { test: "false", interval: 1h } } }\n';
    await using project = new ProjectDirectory(daemon.host, never);
    const waiting = project.follow('up', '-d', '--wait');
    await waiting.see(/Waiting/);
    await project.run('down', '-t', '0');
    await waiting.see(/up of project \S+ was ended by down by \S+@\S+/);
    assert.deepEqual(await project.ids(), {});
  });

  test('commands that run at the same time share the dependencies that they bring up', async () => {
    const text =
      'services: { job: { image: busybox, depends_on: [db] }, db: { image: busybox, init: true, command: sleep 600 } }\n';
    await using project = new ProjectDirectory(daemon.host, text);
    const runs = [1, 2, 3, 4].map((number) => project.try('run', '--rm', '-T', 'job', 'echo', `number ${number}`));
    const results = await Promise.all(runs);
    assert.deepEqual(failures(results), []);
    assert.deepEqual(
      results.map(({ stdout }) => stdout.trim()),
      ['number 1', 'number 2', 'number 3', 'number 4'],
    );
    assert.deepEqual(Object.keys(await project.ids()), ['db-1']);
  });

  test('what containers of others use stays on down, with a word', async () => {
    await using project = new ProjectDirectory(
      daemon.host,
      'services: { web: { image: busybox, init: true, command: sleep 600 } }\n',
    );
    await using other = new ProjectDirectory(
      daemon.host,
      `services: { guest: { image: busybox, init: true, command: sleep 600 } }\nnetworks: { default: { name: ${project.name}_default, external: true } }\n`,
    );
    await project.run('up', '-d');
    await other.run('up', '-d');
    const { code, stderr } = await project.try('down', '-t', '0');
    assert.equal(code, 0);
    assert.match(stderr, /Network \S+_default\s+Resource is still in use/);
    await other.run('down', '-t', '0');
    await project.run('down');
  });

  test('errors of one service tell their place, the others run, and down needs no env_file', async () => {
    const good = 'good: { image: busybox, init: true, command: sleep 600 }';
    const text = (bad: string, more = '') => `services:\n  ${good}\n  bad:\n    image: busybox\n    ${bad}\n${more}`;
    await using project = new ProjectDirectory(daemon.host, text('command: "false"'));
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ['command: "false"', '', /container \S+-bad-1 exited \(1\) \(services.bad.command, \S+compose.yaml:5\)/],
      ['volumes: ["data:/x"]', 'volumes:\n  data: { driver: none }\n', /\(volumes.data, \S+compose.yaml:7\)/],
      ['networks: [away]', 'networks:\n  away: { ipam: { config: [{ subnet: 127.0.0.0/33 }] } }\n', /compose.yaml:7\)/],
    ];
    for (const [bad, more, message] of cases) {
      project.write('compose.yaml', text(bad, more));
      const { code, stderr } = await project.try('up', '-d', '--wait');
      assert.equal(code, 1, stderr);
      assert.match(stderr, message);
      assert.ok('good-1' in (await project.ids()), bad);
    }
    project.write('compose.yaml', text('env_file: ./missing.env'));
    await project.run('down', '-t', '0');
  });
});
