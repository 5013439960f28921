import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { daemonForTests, findSessionCli } from '#testkit';
import { processesWith, type Result, resultOf } from './client-process.ts';

const client = findSessionCli();

/** What is the same in every run: no digests, times, sizes and blank lines, nor how often a transfer was told of. */
function stable(progress: string): string[] {
  return progress
    .split('\n')
    .filter((line) => line !== '' && !/^#\d+ sha256:/.test(line))
    .map((line) => line.replace(/^(#\d+) \d+\.\d+ /, '$1 ').replace(/( \d+(\.\d+)?[kM]?B)?( \d+\.\d+s)?( done)?$/, ''))
    .filter((line, index, lines) => line !== lines[index - 1]);
}

describe('docker 20.10 with DOCKER_BUILDKIT=1', {
  skip: client === undefined && 'no docker CLI with BuildKit inside',
}, () => {
  let directory: string;
  const { daemon, docker } = daemonForTests();

  const start = (words: readonly string[], input: string | Buffer = '', context = '.'): ChildProcess => {
    const child = spawn(join(client?.directory ?? '', 'docker'), ['build', ...words, context], {
      cwd: directory,
      env: { ...process.env, DOCKER_HOST: daemon.host, DOCKER_BUILDKIT: '1', SSH_AUTH_SOCK: '' },
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    return child;
  };
  const build = (words: readonly string[], input?: string | Buffer, context?: string) =>
    resultOf(start(['--progress', 'plain', ...words], input, context));
  const built = async (...args: Parameters<typeof build>): Promise<Result> => {
    const result = await build(...args);
    assert.equal(result.code, 0, result.stderr);
    return result;
  };
  const write = (name: string, text: string | Buffer): void => {
    mkdirSync(join(directory, name, '..'), { recursive: true });
    writeFileSync(join(directory, name), text);
  };

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'berth-buildkit-'));
    write('small/Dockerfile', 'FROM busybox\nRUN echo hello\nWORKDIR /w\nCOPY a .\nENV X=1\n');
    write('small/a', 'a');
    write('small/Bad', 'FROM busybox\nRUN echo before; exit 7\n');
  });
  after(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  test('sends a context of 500 files with links, and not what .dockerignore leaves out', async () => {
    for (let index = 0; index < 500; index++) write(`tree/many/f${index}`, `${index}\n`);
    write('tree/many/large', Buffer.alloc(9 << 20, 'x'));
    write('tree/many/empty', '');
    write('tree/no.log', 'no');
    write('tree/yes.log', 'yes');
    write('tree/skipped/file', 'no');
    write('tree/übersehen/file', 'no');
    write('tree/größe', '1');
    write('tree/.dockerignore', '*.log\n!yes.log\nskipped\nüber*\n');
    symlinkSync('many/f7', join(directory, 'tree/link'));
    linkSync(join(directory, 'tree/many/f8'), join(directory, 'tree/hard'));
    write(
      'tree/Dockerfile',
      'FROM busybox\nCOPY . /ctx\nRUN cd /ctx && find . -type f | sort | xargs md5sum > /sums\n',
    );
    await built(['-t', 'tree'], '', 'tree');
    const expected = execFileSync(
      'sh',
      ['-c', "find . -type f ! -name no.log ! -path './skipped*' ! -path './über*' | LC_ALL=C sort | xargs md5sum"],
      {
        cwd: join(directory, 'tree'),
        encoding: 'utf8',
      },
    );
    assert.equal(`${await docker.run('run', '--rm', 'tree', 'cat', '/sums')}\n`, expected);
    assert.equal(await docker.run('run', '--rm', 'tree', 'readlink', '/ctx/link'), 'many/f7');
  });

  test('takes the Dockerfile and its ignore file from elsewhere, with target, arguments and labels', async () => {
    write(
      'recipes/My.dockerfile',
      'ARG BASE\nFROM $BASE AS one\nARG WHO\nCOPY . /c\nRUN echo $WHO > /who\nFROM one AS two\nRUN exit 1\n',
    );
    symlinkSync('My.dockerfile', join(directory, 'recipes/link'));
    write('recipes/My.dockerfile.dockerignore', 'Bad\n');
    const words = [
      '-f',
      'recipes/My.dockerfile',
      '--target',
      'one',
      '--build-arg',
      'BASE=busybox',
      '--build-arg',
      'WHO=me',
    ];
    await built([...words, '--label', 'l=1', '-t', 'elsewhere', '-t', 'elsewhere:2'], '', 'small');
    assert.equal(await docker.run('run', '--rm', 'elsewhere:2', 'sh', '-c', 'cat /who; ls /c'), 'me\nDockerfile\na');
    assert.equal(await docker.run('inspect', '-f', '{{.Config.Labels.l}}', 'elsewhere'), '1');
    await built(['-f', 'recipes/link', ...words.slice(2), '-t', 'linked'], '', 'small');
    assert.equal(await docker.run('run', '--rm', 'linked', 'ls', '/c'), 'Bad\nDockerfile\na');
  });

  test('takes the Dockerfile, or the whole context, from stdin', async () => {
    await built(['-f', '-', '-t', 'stdin'], 'FROM busybox\nCOPY a /here\n', 'small');
    assert.equal(await docker.run('run', '--rm', 'stdin', 'cat', '/here'), 'a');
    const tar = execFileSync('tar', ['-c', '-C', join(directory, 'small'), '.']);
    await built(['-t', 'uploaded'], tar, '-');
    assert.equal(await docker.run('run', '--rm', 'uploaded', 'cat', '/w/a'), 'a');
  });

  test('shows the steps by the names that dockerd gives them, and what was cached', async () => {
    const first = await built(['--no-cache', '-t', 'small'], '', 'small');
    assert.deepEqual(stable(first.stderr), [
      '#1 [internal] load build definition from Dockerfile',
      '#1 transferring dockerfile:',
      '#1 DONE',
      '#2 [internal] load .dockerignore',
      '#2 transferring context:',
      '#2 DONE',
      '#3 [internal] load build context',
      '#3 transferring context:',
      '#3 DONE',
      '#4 [1/4] FROM docker.io/library/busybox:latest',
      '#4 DONE',
      '#5 [2/4] RUN echo hello',
      '#5 hello',
      '#5 DONE',
      '#6 [3/4] WORKDIR /w',
      '#6 DONE',
      '#7 [4/4] COPY a .',
      '#7 DONE',
      '#8 exporting to image',
      '#8 exporting layers',
      `#8 writing image ${await docker.run('inspect', '-f', '{{.Id}}', 'small')}`,
      '#8 naming to docker.io/library/small:latest',
      '#8 DONE',
    ]);
    const again = await built([], '', 'small');
    assert.equal(again.stderr.match(/CACHED/g)?.length, 3, again.stderr);
  });

  test('prints nothing but the id when it is quiet, and writes it into a file', async () => {
    const { code, stdout, stderr } = await resultOf(start(['-q', '--iidfile', 'iid', '-t', 'quiet'], '', 'small'));
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/);
    assert.equal(await docker.run('inspect', '-f', '{{.Id}}', 'quiet'), stdout.trim());
  });

  test('fails with what failed', async () => {
    const failed = await build(['-f', 'small/Bad'], '', 'small');
    assert.equal(failed.code, 1);
    const text = 'process "/bin/sh -c echo before; exit 7" did not complete successfully: exit code: 7';
    assert.match(failed.stderr, /^#\d+ \d+\.\d+ before$/m);
    assert.ok(failed.stderr.includes(`ERROR: ${text}\n`), failed.stderr);
    assert.ok(failed.stderr.trimEnd().endsWith(text), failed.stderr);
    const absent = await build(['-f', 'small/Nothing'], '', 'small');
    assert.equal(absent.code, 1);
    assert.match(absent.stderr, /failed to read dockerfile: open Nothing: no such file or directory\n$/);
  });

  test('brings files back as a directory or a tar', async () => {
    await built(['-o', 'out'], '', 'small');
    assert.equal(readFileSync(join(directory, 'out/w/a'), 'utf8'), 'a');
    await built(['-o', 'type=tar,dest=out.tar'], '', 'small');
    assert.equal(execFileSync('tar', ['-xOf', join(directory, 'out.tar'), 'w/a'], { encoding: 'utf8' }), 'a');
    const other = await build(['-o', 'type=oci,dest=oci.tar'], '', 'small');
    assert.match(other.stderr, /output of type oci/);
  });

  test('gives secrets to the steps that ask for them', async () => {
    write('token', 'sesame');
    const dockerfile = 'FROM busybox\nRUN --mount=type=secret,id=t,required=true md5sum < /run/secrets/t > /sum\n';
    await built(['--no-cache', '--secret', 'id=t,src=token', '-f', '-', '-t', 'secret'], dockerfile, 'small');
    assert.match(await docker.run('run', '--rm', 'secret', 'cat', '/sum'), /^c8dae1c50e092f3d877192fc555b1dcf /);
    const without = await build(['--no-cache', '-f', '-'], dockerfile, 'small');
    assert.equal(without.code, 1);
    assert.match(without.stderr, /secret t: not found\n$/);
  });

  test('lets the steps that ask speak to an ssh agent', async () => {
    const agent = createServer((socket) => {
      // Whatever is asked, the agent has no identities (SSH_AGENT_IDENTITIES_ANSWER, none).
      socket.on('data', () => socket.write(Buffer.from([0, 0, 0, 5, 12, 0, 0, 0, 0])));
    }).listen(join(directory, 'agent.sock'));
    await once(agent, 'listening');
    try {
      const script = `for f in $(command -v perl) $(ldd $(command -v perl) | grep -o '/[^ ]*'); do
        mkdir -p tools$(dirname $f); cp -L $f tools$f; done`;
      execFileSync('sh', ['-ec', script], { cwd: directory });
      const ask = `socket(S,1,1,0); connect(S, pack("Sa108", 1, $ENV{SSH_AUTH_SOCK})) or die "connect: $!";
        syswrite(S, pack("NC", 1, 11)); $b = "";
        while (length($b) < 9) { sysread(S, $b, 9 - length($b), length($b)) or die "cut" } print unpack("H*", $b)`.replaceAll(
        '\n',
        ' ',
      );
      const dockerfile = `FROM busybox\nCOPY . /\nRUN --mount=type=ssh perl -e '${ask}' > /answer\n`;
      await built(['--ssh', 'default=agent.sock', '-f', '-', '-t', 'agent'], dockerfile, 'tools');
      assert.equal(await docker.run('run', '--rm', 'agent', 'cat', '/answer'), '000000050c00000000');
    } finally {
      agent.close();
    }
  });

  test('ends its build when it is interrupted, and when it is killed', async () => {
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const mark = String(100_000 + Math.floor(Math.random() * 1e9));
      const child = start(
        ['--progress', 'plain', '--no-cache', '-f', '-'],
        `FROM busybox\nRUN echo up; sleep ${mark}\n`,
        'small',
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
