import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { daemonForTests } from '#testkit';
import { processesWith, type Result, resultOf } from './client-process.ts';

// Distributions that tests run on have no package of it.
const plugin = process.env.BERTH_TEST_BUILDX;

describe('docker buildx', { skip: plugin === undefined && 'BERTH_TEST_BUILDX names no docker-buildx' }, () => {
  let directory: string;
  const { daemon, docker } = daemonForTests();

  const start = (words: readonly string[], input: string | Buffer = ''): ChildProcess => {
    const child = spawn(plugin ?? '', words, {
      cwd: directory,
      env: {
        ...process.env,
        DOCKER_HOST: daemon.host,
        DOCKER_CONFIG: join(directory, 'config'),
        BUILDX_NO_DEFAULT_ATTESTATIONS: '1',
      },
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    return child;
  };
  const buildx = (...words: string[]): Promise<Result> => resultOf(start(words));
  const good = async (...words: string[]): Promise<Result> => {
    const result = await buildx(...words);
    assert.equal(result.code, 0, result.stderr);
    return result;
  };
  const write = (name: string, text: string): void => {
    mkdirSync(join(directory, name, '..'), { recursive: true });
    writeFileSync(join(directory, name), text);
  };

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'berth-buildx-'));
    write('small/Dockerfile', 'FROM busybox\nRUN echo hello\nCOPY a /a\n');
    write('small/a', 'a');
    write('small/b', 'b');
    write('small/.dockerignore', 'b\n');
  });
  after(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  test('builds with arguments, labels, a target, hosts, secrets and contexts beside the main one', async () => {
    write(
      'recipes/All',
      `FROM busybox AS one
ARG WHO
COPY . /c
COPY --from=extra e /e
COPY --from=image bin/true /t
RUN --mount=type=secret,id=s,required=true wc -c < /run/secrets/s > /secret
RUN echo $WHO > /who; grep -c 1.2.3.4 /etc/hosts > /hosts
FROM one AS two
RUN exit 1
`,
    );
    write('extra/e', 'extra');
    write('token', 'sesame');
    const words = ['-f', 'recipes/All', '--target', 'one', '--build-arg', 'WHO=me', '--label', 'l=1'];
    const more = ['--add-host', 'h:1.2.3.4', '--add-host', 'g:host-gateway', '--secret', 'id=s,src=token'];
    const contexts = ['--build-context', 'extra=extra', '--build-context', 'image=docker-image://busybox'];
    const files = ['--iidfile', 'iid', '--metadata-file', 'metadata', '-t', 'all', '-t', 'all:2'];
    await good('build', ...words, ...more, ...contexts, ...files, 'small');
    const read = 'ls -A /c; cat /e /secret /who /hosts';
    const found = await docker.run('run', '--rm', 'all:2', 'sh', '-c', read);
    assert.equal(found, '.dockerignore\nDockerfile\na\nextra6\nme\n1');
    assert.equal(await docker.run('inspect', '-f', '{{.Config.Labels.l}}', 'all'), '1');
    const id = await docker.run('inspect', '-f', '{{.Id}}', 'all');
    assert.equal(readFileSync(join(directory, 'iid'), 'utf8'), id);
    const metadata = JSON.parse(readFileSync(join(directory, 'metadata'), 'utf8')) as Record<string, string>;
    assert.equal(metadata['containerimage.config.digest'], id);
    assert.equal(metadata['image.name'], 'docker.io/library/all,docker.io/library/all:2');
  });

  test('shows steps and warnings, or nothing but the id', async () => {
    const { stderr } = await good('build', '--progress', 'plain', '--no-cache', '--ulimit', 'nofile=9:9', 'small');
    assert.match(stderr, /^#\d+ \[2\/3\] RUN echo hello$/m);
    assert.match(stderr, /^#\d+ \d+\.\d+ hello$/m);
    assert.match(stderr, /--ulimit has no effect/);
    const again = await good('build', '--progress', 'plain', 'small');
    assert.equal(again.stderr.match(/CACHED/g)?.length, 2, again.stderr);
    const quiet = await good('build', '-q', '-t', 'quiet', 'small');
    assert.equal(quiet.stdout.trim(), await docker.run('inspect', '-f', '{{.Id}}', 'quiet'));
  });

  test('takes Dockerfile or context from stdin', async () => {
    const dockerfile = await resultOf(start(['build', '-t', 'typed', '-'], 'FROM busybox\nRUN echo 1 > /one\n'));
    assert.equal(dockerfile.code, 0, dockerfile.stderr);
    const tar = spawn('tar', ['-c', '-C', join(directory, 'small'), '.']);
    const chunks: Buffer[] = [];
    for await (const chunk of tar.stdout) chunks.push(chunk as Buffer);
    const archive = await resultOf(start(['build', '-t', 'sent', '-'], Buffer.concat(chunks)));
    assert.equal(archive.code, 0, archive.stderr);
    assert.equal(await docker.run('run', '--rm', 'sent', 'cat', '/a'), 'a');
  });

  test('shows a failing step with its place in the Dockerfile', async () => {
    write('small/Bad', 'FROM busybox\nRUN true\nRUN echo before && \\\n  exit 7\n');
    const failed = await buildx('build', '-f', 'small/Bad', 'small');
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /^Bad:3$/m);
    assert.match(failed.stderr, /^ {3}4 \| >>> {3}exit 7$/m);
    const text = 'process "/bin/sh -c echo before &&   exit 7" did not complete successfully: exit code: 7';
    assert.ok(failed.stderr.trimEnd().endsWith(`failed to solve: ${text}`), failed.stderr);
    const absent = await buildx('build', '-f', 'small/Absent', 'small');
    assert.match(absent.stderr, /failed to solve: failed to read dockerfile: open Absent: no such file or directory/);
    const check = await buildx('build', '--check', 'small');
    assert.match(check.stderr, /this engine builds only; leave out --call and --check/);
  });

  test('gives its steps an ssh agent', async () => {
    const agent = createServer((socket) => socket.resume()).listen(join(directory, 'agent.sock'));
    await once(agent, 'listening');
    try {
      write('small/Agent', 'FROM busybox\nRUN --mount=type=ssh,required=true test -S $SSH_AUTH_SOCK\n');
      await good('build', '-f', 'small/Agent', '--ssh', 'default=agent.sock', 'small');
      const without = await buildx('build', '--no-cache', '-f', 'small/Agent', 'small');
      assert.equal(without.code, 1);
    } finally {
      agent.close();
    }
  });

  test('brings files back as a directory or a tar', async () => {
    await good('build', '-o', 'type=local,dest=out', 'small');
    assert.equal(readFileSync(join(directory, 'out/a'), 'utf8'), 'a');
    await good('build', '-o', 'type=tar,dest=out.tar', 'small');
    const list = await resultOf(spawn('tar', ['-xOf', join(directory, 'out.tar'), 'a']));
    assert.equal(list.stdout, 'a');
  });

  test('bakes targets that begin with others, and several at once', async () => {
    write('low/Dockerfile', 'FROM busybox\nARG A\nRUN echo low $A > /low\n');
    write('high/Dockerfile', 'FROM base\nRUN cat /low > /high\n');
    const target = { low: { context: 'low', args: { A: '9' }, output: ['type=cacheonly'] } };
    const high = { context: 'high', contexts: { base: 'target:low' }, tags: ['high'] };
    const others = Object.fromEntries(
      [1, 2, 3].map((n) => [`n${n}`, { context: 'low', args: { A: `${n}` }, tags: [`n${n}`] }]),
    );
    const group = { default: { targets: ['high', ...Object.keys(others)] } };
    write('bake.json', JSON.stringify({ group, target: { ...target, high, ...others } }));
    await good('bake', '-f', 'bake.json', '--no-cache');
    assert.equal(await docker.run('run', '--rm', 'high', 'cat', '/high'), 'low 9');
    assert.equal(await docker.run('run', '--rm', 'n3', 'cat', '/low'), 'low 3');
  });

  test('lists and prunes the build cache, and tells of the engine', async () => {
    await good('build', 'small');
    assert.match((await good('du')).stdout, /Total:/);
    assert.match((await good('prune', '-af')).stdout, /Total:/);
    assert.match((await good('ls')).stdout, /default +\\?_? *default +running|default/);
    assert.match((await good('inspect')).stdout, /Status: +running/);
    assert.doesNotMatch((await good('history', 'ls')).stdout, /Completed/);
  });

  test('ends its build when it is interrupted, and when it is killed', async () => {
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const mark = String(100_000 + Math.floor(Math.random() * 1e9));
      const child = start(
        ['build', '--progress', 'plain', '--no-cache', '-f', '-', 'small'],
        `FROM busybox\nRUN echo up; sleep ${mark}\n`,
      );
      const ended = resultOf(child);
      let seen = '';
      for await (const data of child.stderr?.iterator({ destroyOnReturn: false }) ?? []) {
        seen += String(data);
        if (/ up$/m.test(seen)) break;
      }
      child.stderr?.resume();
      const running = processesWith(mark);
      assert.ok(running.length > 0, seen);
      child.kill(signal);
      assert.notEqual((await ended).code, 0);
      for (const pid of running) await once(spawn('tail', ['--pid', pid, '-f', '/dev/null']), 'exit');
    }
  });
});
