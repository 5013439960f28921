import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { findDockerCli } from '#testkit';
import { FakeAttachment, startTestServer } from './testing/fake-ports.ts';
import { sampleExec } from './testing/sample-exec.ts';

const run = promisify(execFile);

describe('the docker command line as a client', () => {
  const docker = async (host: string, ...args: string[]) => {
    const { stdout } = await run('docker', ['-H', host, ...args], {
      env: { PATH: process.env.PATH, HOME: '/nonexistent' },
    });
    return stdout;
  };

  it('reads version, info, ps and inspect', async () => {
    await using api = await startTestServer();
    assert.equal(
      (await docker(api.host, 'version', '--format', '{{.Server.Version}} {{.Server.APIVersion}}')).trim(),
      '0.1.0 1.51',
    );
    assert.match(
      await docker(api.host, 'info', '--format', '{{.ContainersRunning}} {{.DriverStatus}}'),
      /^1 \[\[Backing/,
    );
    const format = '{{.Names}} {{.Command}} {{.Ports}} {{.State}}';
    assert.equal(
      (await docker(api.host, 'ps', '--format', format)).trim(),
      // Clients before 26 write IPv6 addresses without brackets.
      `web "sleep 60" 81/tcp, 0.0.0.0:18080->80/tcp, ${findDockerCli().major < 26 ? '::' : '[::]'}:18080->80/tcp running`,
    );
    assert.equal(
      (await docker(api.host, 'inspect', '-f', '{{.NetworkSettings.IPAddress}} {{.State.Pid}}', 'web')).trim(),
      '172.31.0.2 4242',
    );
  });

  it('shows logs, both streams apart', async () => {
    await using api = await startTestServer({
      containers: {
        logs: async () =>
          (async function* () {
            const time = '2026-11-21T02:17:48.7816+00:00';
            yield [{ stream: 'stdout' as const, time, text: Buffer.from('one'), partial: false }];
            yield [
              { stream: 'stderr' as const, time: '2026-11-21T02:17:48Z', text: Buffer.from('two'), partial: false },
            ];
          })(),
      },
    });
    const { stdout, stderr } = await run('docker', ['-H', api.host, 'logs', '-t', 'web']);
    assert.equal(stdout, '2026-11-21T02:17:48.781600000Z one\n');
    assert.equal(stderr, '2026-11-21T02:17:48.000000000Z two\n');
  });

  it('executes a command with input and reports its exit code', async () => {
    await using api = await startTestServer({
      execs: {
        create: async () => 'e1',
        get: async () => ({ ...sampleExec(), exitCode: 7 }),
        start: async () => new FakeAttachment([], { cat: true }),
      },
    });
    const child = spawn('docker', ['-H', api.host, 'exec', '-i', 'web', 'cat']);
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stdin.end('through');
    const [code] = await once(child, 'close');
    assert.equal(Buffer.concat(chunks).toString(), 'through');
    assert.equal(code, 7);
  });
});
