import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { daemonForTests, findDockerCli, Terminal } from '#testkit';

/** Bytes sent through a container, in MB; BERTH_PIPE_MB=1000 for the whole gigabyte. A terminal carries less a second. */
const piped = Number(process.env.BERTH_PIPE_MB ?? 32);
const typed = Number(process.env.BERTH_PIPE_MB ?? 4);

const dockerProgram = join(findDockerCli().directory, 'docker');
const clients = { docker: dockerProgram, berth: fileURLToPath(new URL('../../../bin/berth', import.meta.url)) };

/** Blocks of bytes of every value, no two alike; `hash` gets what is read. */
function* bytes(megabytes: number, hash: ReturnType<typeof createHash>): Generator<Buffer> {
  const block = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 7 + (index >> 8)) & 255));
  for (let count = 0; count < megabytes; count++) {
    const one = Buffer.from(block);
    one.writeUInt32LE(count);
    hash.update(one);
    yield one;
  }
}

describe('streams of a container', () => {
  const { daemon, docker } = daemonForTests();

  const environment = () => ({ ...process.env, DOCKER_HOST: daemon.host, BERTH_HOST: daemon.host });
  const start = (program: string, ...args: string[]) =>
    spawn(program, args, { env: environment(), stdio: ['pipe', 'pipe', 'inherit'] });
  const collect = async ({ stdout }: ReturnType<typeof start>) => {
    let text = '';
    for await (const chunk of stdout) text += chunk;
    return text;
  };
  /** Resolves when `pattern` came out of `child`. */
  const see = (child: ChildProcess, pattern: RegExp) =>
    new Promise<void>((resolve) => {
      let text = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (pattern.test(text)) resolve();
      });
    });

  /** Resolves when `count` clients have attached to container `name`. */
  const attached = async (name: string, count: number) => {
    const filters = ['--filter', `container=${name}`, '--filter', 'event=attach'];
    const events = start(dockerProgram, 'events', '--since', '0', '--format', '{{.Action}}', ...filters);
    await see(events, new RegExp(`^(attach\n){${count}}`));
    const closed = once(events, 'close');
    events.kill('SIGTERM');
    await closed;
  };

  for (const [name, program] of Object.entries(clients)) {
    test(`${piped} MB through ${name} run -i cat come back as they were`, async () => {
      const [sent, received] = [createHash('sha256'), createHash('sha256')];
      const child = start(program, 'run', '-i', '--rm', '--log-driver', 'none', 'busybox', 'cat');
      const closed = once(child, 'close');
      await Promise.all([pipeline(Readable.from(bytes(piped, sent)), child.stdin), pipeline(child.stdout, received)]);
      assert.deepEqual(await closed, [0, null]);
      assert.equal(received.digest('hex'), sent.digest('hex'));
      assert.doesNotMatch(daemon.output, /MaxListeners/);
    });
  }

  for (const [name, program] of Object.entries(clients)) {
    test(`${typed} MB through the terminal of ${name} run -it come back as they were`, async () => {
      const [sent, received] = [createHash('sha256'), createHash('sha256')];
      // Keys that the bytes do not hold: all others are the container's.
      const keys = 'ctrl-a,ctrl-a,ctrl-a,ctrl-a';
      const script = 'stty raw -echo; echo ready; exec cat';
      let text = '';
      let left = typed * 1_000_000;
      const signs = { ready: () => {}, over: () => {} };
      const ready = new Promise<void>((resolve) => {
        signs.ready = resolve;
      });
      const over = new Promise<void>((resolve) => {
        signs.over = resolve;
      });
      using terminal = new Terminal(
        program,
        ['run', '-it', '--rm', '--detach-keys', keys, 'busybox', 'sh', '-c', script],
        {
          env: { DOCKER_HOST: daemon.host, BERTH_HOST: daemon.host },
          onBytes: (chunk) => {
            if (!text.includes('ready')) {
              text += chunk.toString();
              if (text.includes('ready')) signs.ready();
              return;
            }
            received.update(chunk);
            left -= chunk.length;
            if (left <= 0) signs.over();
          },
        },
      );
      await ready;
      for (const block of bytes(typed, sent)) await terminal.send(block);
      await over;
      assert.equal(left, 0);
      assert.equal(received.digest('hex'), sent.digest('hex'));
    });
  }

  test('all clients attached to one container see its output, and each may type', async () => {
    await docker.run('run', '-d', '-i', '--name', 'shared', 'busybox', 'cat');
    const [one, two] = [start(dockerProgram, 'attach', 'shared'), start(clients.berth, 'attach', 'shared')];
    const blind = start(dockerProgram, 'attach', '--no-stdin', 'shared');
    const all = [one, two, blind];
    await attached('shared', all.length);
    const [fromOne, fromTwo] = [/first speaks/, /second speaks/].map((pattern) =>
      Promise.all(all.map((child) => see(child, pattern))),
    );
    blind.stdin.write('never\n');
    one.stdin.write('first speaks\n');
    await fromOne;
    two.stdin.write('second speaks\n');
    await fromTwo;
    assert.doesNotMatch(await docker.run('logs', 'shared'), /never/);
    const closed = Promise.all(all.map((child) => once(child, 'close')));
    await docker.run('rm', '-f', 'shared');
    await closed;
  });

  test('the end of input of the first client ends a container that takes it once', async () => {
    const child = start(dockerProgram, 'run', '-i', '--name', 'once', 'busybox', 'sh', '-c', 'cat; echo over');
    child.stdin.end('said');
    assert.equal(await collect(child), 'saidover\n');
    await docker.run('rm', 'once');
  });

  test('attach hands signals on unless told not to', async () => {
    const script = 'trap "echo got; exit 7" HUP TERM; echo ready; while true; do sleep 0.05; done';
    await docker.run('run', '-d', '--name', 'signalled', 'busybox', 'sh', '-c', script);
    const deaf = start(dockerProgram, 'attach', '--no-stdin', '--sig-proxy=false', 'signalled');
    const keen = start(dockerProgram, 'attach', '--no-stdin', 'signalled');
    await attached('signalled', 2);
    const deafGone = once(deaf, 'exit');
    deaf.kill('SIGHUP');
    await deafGone;
    assert.equal(await docker.run('inspect', '-f', '{{.State.Running}}', 'signalled'), 'true');
    const keenGone = once(keen, 'exit');
    keen.kill('SIGTERM');
    assert.deepEqual(await keenGone, [7, null]);
    await docker.run('rm', 'signalled');
  });

  for (const [name, program] of Object.entries(clients)) {
    test(`keys of one's own leave exec and attach of ${name}; the processes go on`, async () => {
      const container = `left-${name}`;
      await docker.run('run', '-dit', '--name', container, 'busybox', 'sh');
      const env = { DOCKER_HOST: daemon.host, BERTH_HOST: daemon.host };
      using exec = new Terminal(program, ['exec', '-it', '--detach-keys', 'ctrl-x,x', container, 'sh'], { env });
      await exec.see(/# /);
      exec.type('\x10\x11echo default"keys"; echo $$ > /pid\n');
      await exec.see(/defaultkeys/);
      exec.type('\x18x');
      await exec.exit;
      const alive = ['exec', container, 'sh', '-c', 'kill -0 $(cat /pid)'];
      assert.equal((await docker.try(alive)).code, 0);
      using attach = new Terminal(program, ['attach', '--detach-keys', 'ctrl-x,x', container], { env });
      attach.type('\n');
      await attach.see(/# /);
      attach.type('\x18x');
      await attach.exit;
      assert.equal(await docker.run('inspect', '-f', '{{.State.Running}}', container), 'true');
      await docker.run('rm', '-f', container);
    });
  }
});
