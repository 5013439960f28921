import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Duplex, PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { createMounts, mountMemory } from '#host';
import { enterPrivateMounts } from '#testkit';
import type { BuildAgents, BuildSecrets } from './builder.ts';
import { BuilderFixture } from './fixture.test.ts';

enterPrivateMounts();

let fixture: BuilderFixture;
before(async () => {
  fixture = await BuilderFixture.create();
});
after(() => fixture.dispose());

const run = (...lines: string[]) => ({ Dockerfile: ['FROM busybox', ...lines, ''].join('\n') });

function secretsOf(values: Record<string, string | Buffer>): BuildSecrets & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async get(id) {
      asked.push(id);
      const value = values[id];
      return value === undefined ? undefined : Buffer.from(value);
    },
  };
}

const show = 'stat -c "%n %a %u:%g"';

test('a secret is a read-only file on a tmpfs of the step that asks for it, and in no layer', async () => {
  const secrets = secretsOf({ a: 'value-of-a', '/y/b': 'b' });
  const { output, image } = await fixture.build(
    run(
      `RUN --mount=type=secret,id=a cat /run/secrets/a && ${show} /run/secrets/a && grep -c "/run/secrets/a tmpfs ro,nosuid,nodev,noexec" /proc/mounts`,
      'RUN --mount=type=secret,id=a echo no 2>/dev/null > /run/secrets/a || echo refused',
      `RUN --mount=type=secret,target=x/a,mode=444,uid=5,gid=6 ${show} /x/a`,
      'WORKDIR /w',
      'RUN --mount=type=secret,source=/y/b,target=r/q --mount=type=secret,id=a,target=/t/a --mount=type=tmpfs,target=/t cat r/q /t/a',
      'RUN ls -d /run /x /t /w/r 2>/dev/null; true',
    ),
    { secrets },
  );
  const lines = ['value-of-a/run/secrets/a 400 0:0', '1', 'refused', '/x/a 444 5:6', 'bvalue-of-a'];
  assert.equal(output, lines.join('\n'));
  assert.equal(image.layers.length, 2); // busybox and WORKDIR
  assert.ok(!JSON.stringify(image.config).includes('value-of-a'));
  assert.deepEqual(await fixture.leftovers(), []);
});

test('a secret in the environment is there for its step alone, over what the image sets', async () => {
  const secrets = secretsOf({ a: 'value-of-a' });
  const { output, image, events } = await fixture.build(
    run(
      'ENV A=image N=image',
      'RUN --mount=type=secret,id=a,env=A --mount=type=secret,id=nope,env=N echo "[$A]" "[$N]" && ls /run 2>/dev/null; true',
      'RUN --mount=type=secret,id=a,env=B,target=/b echo $A $B $(cat /b)',
      'RUN echo "$A" "$B"',
    ),
    { secrets },
  );
  assert.equal(output, '[value-of-a] []\nimage value-of-a value-of-a\nimage \n');
  assert.ok(!JSON.stringify(image.config).includes('value-of-a'));
  const told = events.filter((event) => event.kind !== 'step-output');
  assert.ok(!JSON.stringify(told).includes('value-of-a'));
  assert.deepEqual(await fixture.leftovers(), []);
});

test('a variable with a secret is written nowhere but on the tmpfs of its step', async () => {
  let bundle = '';
  const { output } = await fixture.build(
    run('RUN --mount=type=secret,id=a,env=A echo running; test "$A" = hidden-value'),
    {
      secrets: secretsOf({ a: 'hidden-value' }),
      onEvent: (event) => {
        if (event.kind === 'step-running') bundle = join(fixture.directory, 'exec/once', event.containerId);
        if (event.kind === 'step-output') assert.equal(existsSync(bundle), false);
      },
    },
  );
  assert.equal(output, 'running\n');
  assert.notEqual(bundle, '');
});

test('optional secrets and agents that the client does not have are left out', async () => {
  const { output } = await fixture.build(
    run('RUN --mount=type=secret,id=no --mount=type=ssh ls /run 2>/dev/null; echo $SSH_AUTH_SOCK'),
  );
  assert.equal(output, '/run/buildkit/ssh_agent.0\n');
});

test('a required secret or agent that is missing fails its step by name', async () => {
  const none: BuildAgents = { has: async () => false, connect: () => Promise.reject(new Error('not asked')) };
  const lent = { secrets: secretsOf({}), agents: none };
  const cases: [string, object, string | RegExp][] = [
    ['RUN --mount=type=secret,id=x,required true', lent, 'secret x: not found'],
    ['RUN --mount=type=secret,id=x,env=X,required true', lent, 'secret x: not found'],
    ['RUN --mount=type=ssh,required true', lent, 'unset ssh forward key default'],
    ['RUN --mount=type=ssh,id=x,required true', lent, 'unset ssh forward key x'],
    [
      'RUN --mount=type=secret,id=x,required true',
      {},
      /^secret x: not found: the client of this build gives no secrets/,
    ],
    ['RUN --mount=type=ssh,required true', {}, /^unset ssh forward key default: the client of this build gives no ssh/],
  ];
  for (const [line, options, message] of cases) {
    await assert.rejects(fixture.build(run(line), options), { kind: 'not-found', message });
  }
  assert.deepEqual(await fixture.leftovers(), []);
});

test('fields of a secret may hold variables, also where numbers are wanted', async () => {
  const secrets = secretsOf({ a: 'x' });
  const line = `RUN --mount=type=secret,id=$I,target=/t$I,mode=$M,uid=\${U:-7} ${show} /ta`;
  const { output } = await fixture.build(run('ARG I=a M=440 U', line), { secrets });
  assert.equal(output, '/ta 440 7:0\n');
  await assert.rejects(fixture.build(run('ARG I=a M=9 U', line), { secrets }), {
    message: /^invalid value 9 for mode/,
  });
});

test('a secret that is too large, or is no text where a variable is wanted, is refused', async () => {
  const secrets = secretsOf({ big: Buffer.alloc(512_001), bin: Buffer.from([65, 0, 66]), bad: Buffer.from([0xff]) });
  const cases: [string, RegExp][] = [
    ['id=big', /^secret big too big. max size 500KiB$/],
    ['id=bin,env=A', /^secret bin is not text/],
    ['id=bad,env=A', /^secret bad is not text/],
  ];
  for (const [fields, message] of cases) {
    const build = fixture.build(run(`RUN --mount=type=secret,${fields} true`), { secrets });
    await assert.rejects(build, { kind: 'invalid', message });
  }
  const { output } = await fixture.build(run('RUN --mount=type=secret,id=bin wc -c < /run/secrets/bin'), { secrets });
  assert.equal(output, '3\n');
});

test('the cache key holds names and places of secrets and never their values', async () => {
  const line = (fields: string) => run(`RUN --mount=type=secret,id=a${fields} echo made > /made`);
  const first = await fixture.build(line(''), { secrets: secretsOf({ a: 'one' }) });
  const other = secretsOf({ a: 'two' });
  const second = await fixture.build(line(''), { secrets: other });
  assert.deepEqual([first.cached, second.cached, other.asked], [[], [2], []]);
  assert.deepEqual((await fixture.build(line(',required'), { secrets: other })).cached, [2]);
  assert.deepEqual((await fixture.build(line(',mode=440'), { secrets: other })).cached, []);
  assert.deepEqual((await fixture.build(line(',env=A'), { secrets: other })).cached, []);
});

test('an ssh mount is a socket of the step that leads to the agent of that id', async () => {
  const agent = new EchoAgent();
  const answers: Promise<string>[] = [];
  const { output } = await fixture.build(
    run(
      `RUN --mount=type=ssh --mount=type=ssh,id=two,target=/x/s,mode=666,uid=3,gid=4 echo $SSH_AUTH_SOCK && ${show} /run/buildkit/* /x/s && test -S /x/s`,
      'ENV SSH_AUTH_SOCK=/mine',
      'RUN --mount=type=ssh echo $SSH_AUTH_SOCK',
      'RUN --mount=type=ssh --mount=type=ssh,id=two,target=/s --mount=type=cache,target=/c echo up; until test -e /c/asked; do sleep 0.1; done',
      'RUN ls -d /run /x /s 2>/dev/null; true',
    ),
    {
      agents: agent,
      onEvent: (event) => {
        if (event.kind !== 'step-output' || event.data.toString() !== 'up\n') return;
        for (const socket of ['agent-0', 'agent-1', 'agent-1']) answers.push(ask(lentFile(socket), 'request'));
        void Promise.all(answers).then(() => writeFileSync(cacheFile('asked'), ''));
      },
    },
  );
  const seen = ['/run/buildkit/ssh_agent.0', '/run/buildkit/ssh_agent.0 600 0:0', '/x/s 666 3:4', '/mine', 'up', ''];
  assert.equal(output, seen.join('\n'));
  assert.deepEqual(await Promise.all(answers), ['default: request', 'two: request', 'two: request']);
  assert.deepEqual(await fixture.leftovers(), []);
});

test('an aborted step ends its connections to the agent and leaves nothing', async () => {
  const abort = new AbortController();
  const agent = new EchoAgent();
  let ended: Promise<unknown> | undefined;
  const build = fixture.build(
    run('RUN --mount=type=secret,id=a,env=A --mount=type=ssh,target=/s --mount=type=secret,id=a echo up; sleep 1000'),
    {
      agents: agent,
      secrets: secretsOf({ a: 'x' }),
      signal: abort.signal,
      onEvent: (event) => {
        if (event.kind !== 'step-output') return;
        const client = connect(lentFile('agent-0')).on('error', () => {});
        ended = new Promise((resolve) => client.once('close', resolve));
        client.once('data', () => abort.abort());
      },
    },
  );
  await assert.rejects(build, { kind: 'canceled' });
  await ended;
  assert.equal(
    agent.connections.every((connection) => connection.destroyed),
    true,
  );
  assert.deepEqual(await fixture.leftovers(), []);
});

test('mounts of secrets that ask for nothing or too much are refused where they are written', async () => {
  const cases: [string, RegExp][] = [
    ['type=secret', /invalid secret mount. one of source, target required/],
    ['type=secret,env=A', /invalid secret mount. one of source, target required/],
    ['type=secret,id=a,source=b', /both source and id can't be set/],
    ['type=ssh,source=a', /ssh does not support source/],
  ];
  for (const [fields, message] of cases) {
    await assert.rejects(fixture.build(run(`RUN --mount=${fields} true`)), { kind: 'invalid', message });
  }
});

test('reconcile takes away the secrets that a killed builder had on a tmpfs', async () => {
  const memory = join(fixture.directory, 'exec/builder/dead/1/lent');
  mkdirSync(memory, { recursive: true });
  await mountMemory(createMounts(), memory, { size: 1 << 20 });
  writeFileSync(join(memory, 'secret-0'), 'x');
  await fixture.builder.reconcile();
  assert.ok(!(await readFile('/proc/self/mounts', 'utf8')).includes(memory));
  assert.deepEqual(await fixture.leftovers(), []);
});

/** The one file of this name that a running step is lent. */
function lentFile(name: string): string {
  const root = join(fixture.directory, 'exec/builder');
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith(`lent/${name}`),
  );
  assert.equal(paths.length, 1);
  return join(root, ...paths);
}

/** A file of the only cache mount there is. */
function cacheFile(name: string): string {
  const root = join(fixture.directory, 'builder/cache-mounts');
  return join(root, ...readdirSync(root), name);
}

/** All that the other end of a unix socket says to `question`. */
async function ask(path: string, question: string): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true });
  socket.end(question);
  return (await socket.toArray()).join('');
}

/** Says its id, then all it hears, and ends when the other end has. */
class EchoAgent implements BuildAgents {
  readonly connections: Duplex[] = [];

  async has(): Promise<boolean> {
    return true;
  }

  async connect(id: string): Promise<Duplex> {
    const connection = new PassThrough();
    connection.write(`${id}: `);
    this.connections.push(connection);
    return connection;
  }
}
