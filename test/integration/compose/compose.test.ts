import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { importBusybox, TestDaemon } from '#testkit';
import { dockerCompose, isBerth, ProjectDirectory } from './project-directory.ts';

const file = `
services:
  db:
    image: busybox
    command: sleep 600
    init: true
    healthcheck: { test: "true", interval: 200ms }
    volumes: [data:/data, /scratch]
  job:
    image: busybox
    command: "true"
  web:
    image: busybox
    command: sh -c 'echo ready; exec sleep 600'
    init: true
    environment: { COLOUR: blue }
    depends_on:
      db: { condition: service_healthy }
      job: { condition: service_completed_successfully }
    secrets: [password]
    configs: [{ source: motd, target: /etc/motd, mode: 0400 }]
volumes: { data: {} }
secrets: { password: { environment: GREETING } }
configs: { motd: { content: "welcome to $GREETING" } }
`;

const watched = `
services:
  a:
    image: busybox
    command: sleep 600
    init: true
    develop:
      watch:
        - { path: src, action: sync, target: /app, ignore: ["*.log"] }
        - { path: conf, action: sync+restart, target: /conf }
        - { path: hook, action: sync+exec, target: /hook, exec: { command: [sh, -c, "echo did it: $$(cat /hook/x)"] } }
`;

describe('compose', () => {
  const given = process.env.BERTH_TEST_COMPOSE_HOST;
  let daemon: TestDaemon | undefined;
  let host = given ?? '';
  before(async () => {
    if (given !== undefined) return;
    daemon = await TestDaemon.start();
    host = daemon.host;
    importBusybox(daemon.socket);
  });
  after(() => daemon?.[Symbol.asyncDispose]());

  test('up starts everything in order and delivers secrets and configs; up again changes nothing', async () => {
    await using project = new ProjectDirectory(host, file);
    await project.run('up', '-d');
    assert.equal(await project.run('exec', '-T', 'web', 'cat', '/run/secrets/password'), 'hello');
    assert.equal(await project.run('exec', '-T', 'web', 'cat', '/etc/motd'), 'welcome to hello');
    assert.equal(await project.run('exec', '-T', 'web', 'stat', '-c', '%a', '/etc/motd'), '400');
    assert.match(await project.run('logs', 'web'), /^web-1 {2}\| ready$/m);
    const ids = await project.ids();
    await project.run('up', '-d');
    assert.deepEqual(await project.ids(), ids);
  });

  test('only what changed is recreated; its anonymous volume goes over', async () => {
    await using project = new ProjectDirectory(host, file);
    await project.run('up', '-d');
    await project.run('exec', '-T', 'db', 'touch', '/scratch/kept', '/data/kept');
    const before = await project.ids();
    project.write('compose.yaml', file.replace('200ms', '300ms'));
    await project.run('up', '-d');
    const now = await project.ids();
    assert.notEqual(now['db-1'], before['db-1']);
    assert.equal(now['web-1'], before['web-1']);
    await project.run('exec', '-T', 'db', 'ls', '/scratch/kept', '/data/kept');
  });

  test('scale, stop, start, rm and down do what they say', async () => {
    await using project = new ProjectDirectory(host, file);
    await project.run('up', '-d', '--scale', 'web=3');
    assert.deepEqual(Object.keys(await project.ids()).sort(), ['db-1', 'job-1', 'web-1', 'web-2', 'web-3']);
    await project.run('scale', 'web=1');
    assert.deepEqual(Object.keys(await project.ids()).sort(), ['db-1', 'job-1', 'web-1']);
    await project.run('stop', '-t', '1', 'web');
    assert.equal(await project.run('ps', '--services', '--status', 'exited'), 'job\nweb');
    await project.run('start');
    assert.match(await project.run('ps', '--services', '--status', 'running'), /web/);
    await project.run('rm', '-s', '-f', 'web');
    assert.deepEqual(Object.keys(await project.ids()).sort(), ['db-1', 'job-1']);
    await project.run('down', '-v', '-t', '1');
    assert.deepEqual(await project.ids(), {});
    assert.equal(await project.run('volumes', '-q'), '');
  });

  test('the exit code of run, exec and up is that of the command', async () => {
    await using project = new ProjectDirectory(host, file);
    assert.equal((await project.try('run', '--rm', '-T', '--no-deps', 'web', 'sh', '-c', 'exit 7')).code, 7);
    await project.run('up', '-d', 'db');
    assert.equal((await project.try('exec', '-T', 'db', 'sh', '-c', 'exit 8')).code, 8);
    const { code, stdout } = await project.try('up', '--exit-code-from', 'job', 'job');
    assert.equal(code, 0);
    assert.match(stdout, /job-1 exited with code 0/);
  });

  test('a dependency that fails is named, and what does not need it still runs', async () => {
    const bad = `
services:
  bad: { image: busybox, command: sleep 600, init: true, healthcheck: { test: "false", interval: 100ms, retries: 1 } }
  needs: { image: busybox, command: sleep 600, init: true, depends_on: { bad: { condition: service_healthy } } }
  free: { image: busybox, command: sleep 600, init: true }
`;
    await using project = new ProjectDirectory(host, bad);
    const { code, stderr } = await project.try('up', '-d');
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`dependency failed to start: container ${project.name}-bad-1 is unhealthy`));
    if (isBerth) assert.match(stderr, /is unhealthy \(services\.bad\.healthcheck, .*compose\.yaml:3\)/);
    assert.equal(await project.run('ps', '--services', '--status', 'running'), 'bad\nfree');
  });

  test('a dry run says what would be done, with reasons, and does nothing', { skip: !isBerth }, async () => {
    await using project = new ProjectDirectory(host, file);
    const { stderr } = await project.try('--dry-run', 'up', '-d');
    assert.match(stderr, /DRY-RUN MODE - {2}create container \S+-web-1: there is none yet/);
    assert.deepEqual(await project.ids(), {});
  });

  test('down without a file finds everything by its labels', async () => {
    await using project = new ProjectDirectory(host, file);
    await project.run('up', '-d');
    await using elsewhere = new ProjectDirectory(host, 'services: {}\n');
    execFileSync('rm', [`${elsewhere.path}/compose.yaml`]);
    const { code } = await elsewhere.try('-p', project.name, 'down', '-t', '1');
    assert.equal(code, 0);
    assert.deepEqual(await project.ids(), {});
  });

  test('an up that was killed half-way is completed by the next', async () => {
    await using project = new ProjectDirectory(host, file);
    await project.killed('started', 'up', '-d');
    await project.run('up', '-d');
    const ids = await project.ids();
    assert.deepEqual(Object.keys(ids).sort(), ['db-1', 'job-1', 'web-1']);
    await project.run('up', '-d', '--force-recreate', 'web');
    await project.killed('Recreate', 'up', '-d', '--force-recreate');
    await project.run('up', '-d');
    assert.deepEqual(Object.keys(await project.ids()).sort(), ['db-1', 'job-1', 'web-1']);
    assert.equal(await project.run('ps', '--services', '--status', 'running'), 'db\nweb');
  });

  test('a port that is taken is named with who has it and where the file asks for it', { skip: !isBerth }, async () => {
    const clash = (name: string) =>
      `services:\n  ${name}:\n    image: busybox\n    command: sleep 600\n    init: true\n    ports: ["127.0.0.1:28125:80"]\n`;
    await using holder = new ProjectDirectory(host, clash('first'));
    await using project = new ProjectDirectory(host, clash('second'));
    await holder.run('up', '-d');
    const { code, stderr } = await project.try('up', '-d');
    assert.equal(code, 1);
    assert.match(stderr, /127\.0\.0\.1:28125 failed: port is already allocated/);
    if (given === undefined) assert.match(stderr, new RegExp(`by container ${holder.name}-first-1`));
    assert.match(stderr, /\(services\.second\.ports, .*compose\.yaml:6\)/);
    await holder.run('down', '-t', '0');
    await project.run('up', '-d');
  });

  test('Ctrl-C stops gracefully, a second one kills', { skip: !isBerth }, async () => {
    const stubborn = `
services:
  polite: { image: busybox, command: "sh -c 'trap \\"echo goodbye; exit\\" TERM; echo here; while :; do sleep 0.1; done'" }
  deaf: { image: busybox, stop_grace_period: 5m, command: "sh -c 'trap : TERM; echo here; while :; do sleep 0.1; done'" }
`;
    await using project = new ProjectDirectory(host, stubborn);
    using terminal = project.onTerminal('up');
    await terminal.see(/polite-1\s+\|.*here/);
    await terminal.see(/deaf-1\s+\|.*here/);
    terminal.type('\x03');
    await terminal.see(/Gracefully Stopping/);
    await terminal.see(/polite-1 .*goodbye/s);
    terminal.type('\x03');
    assert.equal(await terminal.exit, 130);
    assert.equal(await project.run('ps', '--services', '--status', 'running'), '');
  });

  test('watch copies, restarts and runs what the file says', async () => {
    await using project = new ProjectDirectory(host, watched);
    for (const name of ['src', 'conf', 'hook']) project.makeDirectory(name);
    const told = project.follow('watch');
    await told.see(/Watch enabled/);
    project.write('src/kept', 'kept');
    project.write('src/skipped.log', 'skipped');
    project.write('src/gone', 'gone');
    await told.see(/Syncing service "a" after \d changes/);
    project.write('hook/x', 'x');
    await told.see(/did it: x/);
    assert.equal(await project.run('exec', '-T', 'a', 'cat', '/app/kept', '/hook/x'), 'keptx');
    project.remove('src/gone');
    project.write('conf/x', 'x');
    await told.see(/service\(s\) \["a"\] restarted/);
    assert.equal(await project.run('exec', '-T', 'a', 'ls', '/app', '/conf'), '/app:\nkept\n\n/conf:\nx');
    await told.end('SIGINT');
  });

  test('docker compose takes a project over without recreating anything, and gives it back', {
    skip: dockerCompose === undefined || !isBerth ? 'docker compose is not installed' : false,
  }, async () => {
    await using project = new ProjectDirectory(host, file);
    await project.run('up', '-d');
    const ids = await project.ids();
    assert.equal((await project.docker('up', '-d')).code, 0);
    assert.deepEqual(await project.ids(), ids);
    assert.equal((await project.docker('up', '-d', '--force-recreate')).code, 0);
    const recreated = await project.ids();
    await project.run('up', '-d');
    assert.deepEqual(await project.ids(), recreated);
  });
});
