import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pack } from 'tar-stream';
import { Docker, daemonForTests } from '#testkit';

const program = fileURLToPath(new URL('../../../bin/berth', import.meta.url));
/** A dockerd that has busybox:latest, to see that our client asks BuildKit for the same. */
const dockerd = process.env.BERTH_TEST_DOCKER_HOST;

/** A command that runs; its output so far, and how it ended. */
class Running {
  readonly #child;
  readonly #ended: Promise<unknown[]>;
  output = '';
  stdout = '';
  #look: () => void = () => undefined;

  constructor(
    words: readonly string[],
    options: { cwd: string; env: Record<string, string>; input?: string | Buffer },
  ) {
    const env = { ...process.env, SSH_AUTH_SOCK: '', ...options.env };
    this.#child = spawn(program, words, { cwd: options.cwd, env });
    this.#ended = once(this.#child, 'close');
    this.#child.stdin.on('error', () => undefined);
    this.#child.stdin.end(options.input ?? '');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        if (stream === this.#child.stdout) this.stdout += chunk.toString();
        this.output += chunk.toString();
        this.#look();
      });
    }
  }

  async see(pattern: RegExp): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#look = () => pattern.test(this.output) && resolve();
      this.#look();
      void this.#ended.then(() => reject(new Error(`${pattern} was not printed:\n${this.output}`)));
    });
  }

  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  async code(): Promise<number> {
    return Number((await this.#ended)[0]);
  }
}

/** What both engines do alike; each test builds under `tag`, which is removed after it. */
function asksForThings(host: () => string): void {
  const tag = `berth-test-session-${process.pid}`;
  let directory: string;
  let docker: Docker;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'berth-session-'));
    docker = new Docker(host());
  });
  after(() => rmSync(directory, { recursive: true, force: true }));
  afterEach(() => docker.try(['rmi', '-f', tag]));

  const start = (
    dockerfile: string,
    words: readonly string[],
    options: { env?: Record<string, string>; input?: string | Buffer } = {},
  ): Running => {
    if (dockerfile !== '') writeFileSync(join(directory, 'Dockerfile'), dockerfile);
    const { env = {}, ...rest } = options;
    return new Running(['-H', host(), 'build', '-t', tag, ...words], { cwd: directory, env, ...rest });
  };
  const run = async (...args: Parameters<typeof start>): Promise<Running> => {
    const running = start(...args);
    assert.equal(await running.code(), 0, running.output);
    return running;
  };
  const inImage = (...words: string[]): Promise<string> => docker.run('run', '--rm', tag, ...words);

  test('secrets of files and variables reach the steps that ask, and nothing else', async () => {
    writeFileSync(join(directory, 'token'), 'sesame');
    const dockerfile = `FROM busybox
RUN --mount=type=secret,id=a --mount=type=secret,id=b,target=/b sha256sum /run/secrets/a /b > /sums
RUN cat /run/secrets/a /b > /none 2>&1 || true
`;
    const running = await run(dockerfile, ['--no-cache', '--secret', 'id=a,src=token', '--secret', 'id=b,env=B', '.'], {
      env: { B: 'sesame' },
    });
    const sum = 'd0c04f4b1951e4aeaaec8223ed2039e542f3aae805a6fa7f6d794e5afff5d272';
    assert.equal(await inImage('cat', '/sums'), `${sum}  /run/secrets/a\n${sum}  /b`);
    assert.match(await inImage('cat', '/none'), /secrets\/a'?: No such file.*\n.*b'?: No such file/);
    assert.match(running.output, /^#1 \[internal\] load build definition from Dockerfile$/m);
    assert.match(running.output, /^#\d+ DONE \d\.\ds$/m);
    assert.doesNotMatch(running.output + (await docker.run('history', '--no-trunc', tag)), /sesame/);
  });

  test('an agent is there for the steps that ask', async () => {
    const server = createServer().listen(join(directory, 'agent.sock'));
    await once(server, 'listening');
    try {
      const dockerfile = 'FROM busybox\nRUN --mount=type=ssh test -S $SSH_AUTH_SOCK && echo $SSH_AUTH_SOCK > /agent\n';
      const env = { SSH_AUTH_SOCK: join(directory, 'agent.sock') };
      await run(dockerfile, ['--no-cache', '--ssh', 'default', '.'], { env });
      assert.equal(await inImage('cat', '/agent'), '/run/buildkit/ssh_agent.0');
      const without = start('', ['--ssh', 'default', '.']);
      assert.equal(await without.code(), 1);
      assert.match(without.output, /^ERROR: failed to build: .*make sure SSH_AUTH_SOCK is set$/m);
    } finally {
      server.close();
    }
  });

  test('the engine gets the files of the context that are not ignored, links and modes as they are', async () => {
    const context = join(directory, 'context');
    mkdirSync(join(context, 'dir/deep'), { recursive: true });
    for (const name of ['dir/deep/file', 'dir/left out', 'tool'])
      writeFileSync(join(context, name), name, { mode: 0o755 });
    symlinkSync('deep/file', join(context, 'dir/link'));
    writeFileSync(join(context, '.dockerignore'), 'dir/left*\n.dockerignore\n');
    writeFileSync(join(directory, 'empty'), '');
    const words = ['--secret', 'id=x,src=empty', '-f', '-', 'context'];
    const scratch = mkdtempSync(join(directory, 'scratch-'));
    await run('', words, {
      input: 'FROM busybox\nCOPY . /got\nRUN cd /got && find . | sort > /list; stat -c "%a %u" tool >> /list\n',
      env: { TMPDIR: scratch },
    });
    assert.equal(await inImage('cat', '/list'), '.\n./dir\n./dir/deep\n./dir/deep/file\n./dir/link\n./tool\n755 0');
    assert.equal(await inImage('cat', '/got/dir/link'), 'dir/deep/file');
    assert.deepEqual(readdirSync(scratch), []);
  });

  test('contexts come on stdin, too; quiet builds say the id alone', async () => {
    writeFileSync(join(directory, 'empty'), '');
    const tar = pack();
    tar.entry({ name: 'Dockerfile' }, 'FROM busybox\nCOPY f /f\n');
    tar.entry({ name: 'f' }, 'from the tar');
    tar.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of tar) chunks.push(chunk as Buffer);
    const words = ['-q', '--iidfile', 'id', '--secret', 'id=x,src=empty', '-'];
    const running = await run('', words, { input: Buffer.concat(chunks) });
    assert.equal(running.output, running.stdout);
    assert.match(running.stdout, /^sha256:[0-9a-f]{64}\n$/);
    assert.equal(readFileSync(join(directory, 'id'), 'utf8'), running.stdout.trim());
    assert.equal(await inImage('cat', '/f'), 'from the tar');
  });

  test('a step that fails is shown with its last lines and its place, and ends the command with 1', async () => {
    writeFileSync(join(directory, 'empty'), '');
    const dockerfile = 'FROM busybox\nRUN echo before; \\\n  exit 7\n';
    const running = start(dockerfile, ['--no-cache', '--secret', 'id=x,src=empty', '.']);
    assert.equal(await running.code(), 1);
    const text = 'process "/bin/sh -c echo before;   exit 7" did not complete successfully: exit code: 7';
    assert.match(running.output, /^#\d+ \d\.\d{3} before$/m);
    assert.ok(running.output.includes(`ERROR: failed to build: failed to solve: ${text}\n`), running.output);
    assert.match(running.output, /^------\n > \[.*2\/2\] RUN echo before; .*exit 7:\n\d\.\d{3} before\n------$/m);
    assert.match(
      running.output,
      /^Dockerfile:2\n-+\n {3}1 \| {5}FROM busybox\n {3}2 \| >>> RUN echo before; \\\n {3}3 \| >>> {3}exit 7$/m,
    );
  });

  test('Ctrl-C ends the build', async () => {
    writeFileSync(join(directory, 'empty'), '');
    const mark = `waiting-${process.pid}`;
    const dockerfile = `FROM busybox\nRUN echo ${mark}; exec sleep 86399\n`;
    const running = start(dockerfile, ['--no-cache', '--secret', 'id=x,src=empty', '.']);
    await running.see(new RegExp(`^#\\d+ \\d\\.\\d+ ${mark}$`, 'm'));
    running.interrupt();
    assert.equal(await running.code(), 130);
    assert.match(running.output, /ERROR: failed to build: context canceled\n$/);
  });

  test('an agent or a secret that is not there, or nonsense, ends the command before anything is built', async () => {
    for (const [words, message] of [
      [['--secret', 'foo'], "ERROR: invalid field 'foo' must be a key=value pair\n"],
      [
        ['--secret', 'id=x,src=nope'],
        'ERROR: failed to build: failed to stat nope: stat nope: no such file or directory\n',
      ],
      [['--build-context', 'x'], 'ERROR: invalid context value: x, expected key=value\n'],
    ] as const) {
      const running = start('FROM busybox\n', [...words, '.']);
      assert.equal(await running.code(), 1);
      assert.equal(running.output, message);
    }
  });
}

/** Contexts beside the main one: by the engine's POST /build, or by BuildKit's own API. */
function takesContexts(host: () => string): void {
  const project = `berth-asking-${process.pid}`;
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'berth-contexts-'));
    mkdirSync(join(directory, 'lib/sub'), { recursive: true });
    writeFileSync(join(directory, 'lib/sub/file'), 'of the library');
    writeFileSync(join(directory, 'lib/.dockerignore'), 'left-out\n');
    writeFileSync(join(directory, 'lib/left-out'), '');
    writeFileSync(join(directory, 'token'), 'sesame');
  });
  after(async () => {
    await new Docker(host()).try(['rmi', '-f', project, `${project}-web`, `${project}-below`]);
    rmSync(directory, { recursive: true, force: true });
  });
  const run = async (words: string[], env: Record<string, string> = {}): Promise<{ code: number; output: string }> => {
    const running = new Running(['-H', host(), ...words], { cwd: directory, env });
    return { code: await running.code(), output: running.output };
  };
  const docker = (...words: string[]): Promise<string> => new Docker(host()).run(...words);

  test('directories and images take the place of the names', async () => {
    writeFileSync(join(directory, 'Dockerfile'), 'FROM base\nCOPY --from=lib . /lib\n');
    const contexts = ['--build-context', 'base=docker-image://busybox', '--build-context', 'lib=lib'];
    const { code, output } = await run(['build', '-t', project, ...contexts, '.']);
    assert.equal(code, 0, output);
    const files = await docker('run', '--rm', project, 'find', '/lib', '-type', 'f', '-name', '[fl]*');
    assert.equal(files, '/lib/sub/file');
  });

  test('compose gives builds secrets, agents, directories, and images of other services, which it builds first', async () => {
    const file = `name: ${project}
services:
  web:
    build:
      context: .
      dockerfile_inline: |
        FROM base
        COPY --from=lib sub/file /file
        RUN --mount=type=secret,id=renamed --mount=type=secret,id=word cat /run/secrets/* | sha256sum > /sum
        RUN --mount=type=ssh,id=own echo $$SSH_AUTH_SOCK > /agent
      ssh: { own: ./agent.sock }
      secrets: [{ source: token, target: renamed }, word]
      additional_contexts: { base: "service:below", lib: ./lib }
  below:
    build: { dockerfile_inline: "FROM busybox\\nRUN echo below > /below" }
secrets:
  token: { file: ./token }
  word: { environment: WORD }
`;
    writeFileSync(join(directory, 'compose.yaml'), file);
    const missing = await run(['compose', 'build', 'web'], { WORD: '!' });
    assert.equal(missing.code, 1);
    assert.match(
      missing.output,
      /service "web": build\.ssh: .*agent\.sock: no such file or directory \(services\.web\.build\.ssh, .*compose\.yaml:11\)/,
    );
    const server = createServer().listen(join(directory, 'agent.sock'));
    await once(server, 'listening');
    try {
      const { code, output } = await run(['compose', 'build', 'web'], { WORD: '!' });
      assert.equal(code, 0, output);
      assert.match(output, /below {2}Built.*web {2}Built/s);
      const found = await docker('run', '--rm', `${project}-web`, 'sh', '-c', 'cat /below /file /agent /sum');
      const sum = '38afb0207f28f686af80c7000b50ef3a01291487b5f0bb22b459e5257e08dbc8';
      assert.deepEqual(found.split('\n'), ['below', 'of the library/run/buildkit/ssh_agent.0', `${sum}  -`]);
    } finally {
      server.close();
    }
    rmSync(join(directory, 'token'));
    const gone = await run(['compose', 'build', 'web'], { WORD: '!' });
    assert.match(
      gone.output,
      /service "web": build\.secrets: failed to stat .*token: .* \(services\.web\.build\.secrets\.0, /,
    );
  });
}

describe('builds that ask their client', () => {
  const { daemon } = daemonForTests();
  asksForThings(() => daemon.host);
  takesContexts(() => daemon.host);
});

describe('builds that ask their client, on dockerd', {
  skip: dockerd === undefined ? 'BERTH_TEST_DOCKER_HOST is not set' : false,
}, () => {
  asksForThings(() => dockerd ?? '');
  takesContexts(() => dockerd ?? '');
});
