import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, test } from 'node:test';
import { daemonForTests } from '#testkit';

function fetchJson(socketPath: string, method: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('health checks and restart policies', () => {
  const { daemon, docker } = daemonForTests();

  /** Resolves at the first event `action` of `name` since the test began; rejects after 20 s. */
  const event = async (name: string, action: string): Promise<void> => {
    const [since, until] = ['30s', `${Math.floor(Date.now() / 1000) + 20}`];
    const filters = ['--filter', `container=${name}`, '--filter', `event=${action}`];
    const abort = new AbortController();
    const { spawn } = await import('node:child_process');
    const child = spawn('docker', ['events', '--since', since, '--until', until, ...filters], {
      env: { ...process.env, DOCKER_HOST: daemon.host },
      signal: abort.signal,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child.on('error', () => {});
    const seen = await new Promise<boolean>((resolve) => {
      child.stdout.once('data', () => resolve(true));
      child.once('close', () => resolve(false));
    });
    abort.abort();
    assert.ok(seen, `no event ${action} of ${name}`);
  };
  const state = (name: string, field: string) => docker.run('inspect', '-f', `{{.State.${field}}}`, name);
  const fast = ['--health-interval', '200ms', '--health-retries', '2'];

  test('http and tcp probes of the engine need no process in the container', async () => {
    const serve = 'mkdir /www; echo hi > /www/ok; httpd -f -p 8080 -h /www';
    const make = (name: string, label: string) =>
      docker.run('run', '-d', '--name', name, '--label', label, ...fast, 'busybox', 'sh', '-c', serve);
    await make('web', 'io.berth.health.http=8080/ok');
    await make('port', 'io.berth.health.tcp=8080');
    await make('missing', 'io.berth.health.http=8080/nope');
    await event('web', 'health_status: healthy');
    await event('port', 'health_status: healthy');
    await event('missing', 'health_status: unhealthy');
    assert.match(await docker.run('inspect', '-f', '{{json .State.Health.Log}}', 'missing'), /HTTP 404/);
    const execs = await docker.run('events', '--since', '60s', '--until', '1s', '--filter', 'event=exec_create');
    assert.equal(execs, '');
    await docker.run('rm', '-f', 'web', 'port', 'missing');
  });

  test('a probe that cannot be read is refused before anything is made', async () => {
    const { code, stderr } = await docker.try(['create', '--label', 'io.berth.health.tcp=x', 'busybox', 'true']);
    assert.equal(code, 1);
    assert.match(stderr, /invalid tcp health check "x": give it as PORT/);
  });

  test('an unhealthy container is restarted when it asks for it', async () => {
    const label = ['--label', 'io.berth.health.restart=true'];
    await docker.run(
      'run',
      '-d',
      '--name',
      'sick',
      ...label,
      ...fast,
      '--health-cmd',
      'false',
      'busybox',
      'sleep',
      '300',
    );
    const pid = await state('sick', 'Pid');
    await event('sick', 'restart');
    assert.notEqual(await state('sick', 'Pid'), pid);
    await docker.run('rm', '-f', 'sick');
  });

  test('health and restart policies go on after a kill -9 of the daemon', async () => {
    await docker.run(
      'run',
      '-d',
      '--name',
      'watched',
      ...fast,
      '--health-cmd',
      'test -e /ok',
      'busybox',
      'sleep',
      '300',
    );
    await docker.run('run', '-d', '--name', 'again', '--restart', 'always', 'busybox', 'sleep', '300');
    await event('watched', 'health_status: unhealthy');
    const pid = Number(await state('again', 'Pid'));
    await daemon.kill();
    process.kill(pid, 'SIGKILL');
    await daemon.start();
    assert.equal(await state('watched', 'Health.Status'), 'unhealthy');
    await docker.run('exec', 'watched', 'touch', '/ok');
    await event('watched', 'health_status: healthy');
    await event('again', 'die');
    assert.equal(await state('again', 'Running'), 'true');
    assert.notEqual(Number(await state('again', 'Pid')), pid);
    await docker.run('rm', '-f', 'watched', 'again');
  });

  test('a checkpoint is refused with the reason', async () => {
    await docker.run('run', '-d', '--name', 'frozen', 'busybox', 'sleep', '300');
    // The docker CLI asks engines for checkpoints only where they call themselves experimental.
    const answer = await fetchJson(daemon.socket, 'POST', '/containers/frozen/checkpoints');
    assert.equal(answer.status, 501);
    assert.match(answer.body, /checkpoint and restore are not available/);
    await docker.run('rm', '-f', 'frozen');
  });
});
