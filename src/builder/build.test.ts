import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digestOf, newId } from '#base';
import { detectCgroups } from '#host';
import { enterPrivateMounts } from '#testkit';
import { BuilderFixture } from './fixture.test.ts';

enterPrivateMounts();

let fixture: BuilderFixture;
before(async () => {
  fixture = await BuilderFixture.create();
});
after(() => fixture.dispose());

test('a build runs commands in a container and keeps what they change as layers', async () => {
  const { image, output } = await fixture.build({
    Dockerfile: 'FROM busybox\nRUN echo hello && id -u && echo x > /x\nRUN test -f /x && rm /x\n',
  });
  assert.equal(output, 'hello\n0\n');
  assert.equal(image.layers.length, 3);
  const names = fixture.listLayer(image, 1).map((line) => line.split(' ').at(-1));
  assert.deepEqual(names, ['x']);
  assert.match(fixture.listLayer(image, -1).join('\n'), /\.wh\.x$/m);
  assert.deepEqual(await fixture.leftovers(), []);
});

test('a RUN sees hosts, resolv.conf and hostname, and leaves no trace of them', async () => {
  const { image, output } = await fixture.build({
    Dockerfile: 'FROM busybox\nRUN cat /etc/hosts /etc/resolv.conf && test "$(hostname)" = "$HOSTNAME" && echo $HOME\n',
  });
  assert.equal(output, '127.0.0.1 localhost\nnameserver 127.0.0.1\n/root\n');
  assert.equal(image.layers.length, 1);
  assert.equal(image.config.history?.at(-1)?.empty_layer, true);
});

test('a RUN that fails rejects with the command and its code, and leaves nothing', async () => {
  const events: string[] = [];
  const onEvent = (event: { kind: string }) => events.push(event.kind);
  await assert.rejects(fixture.build({ Dockerfile: 'FROM busybox\nRUN exit 3\n' }, { onEvent }), {
    kind: 'invalid',
    message: "The command '/bin/sh -c exit 3' returned a non-zero code: 3",
    details: { code: 3, command: '/bin/sh -c exit 3' },
  });
  assert.equal(events.at(-1), 'step-failed');
  assert.deepEqual(await fixture.leftovers(), []);
});

test('a second build takes everything from the cache and gives the same image', async () => {
  const files = { Dockerfile: 'FROM busybox\nENV a=1\nCOPY f /f\nRUN echo 1 > /g\nCMD ["x"]\n', f: 'one' };
  const first = await fixture.build(files);
  const second = await fixture.build(files);
  assert.deepEqual(first.cached, []);
  assert.deepEqual(second.cached, [2, 3, 4, 5]);
  assert.equal(second.imageId, first.imageId);
  const changed = await fixture.build({ ...files, f: 'two' });
  assert.deepEqual(changed.cached, [2]);
  const forced = await fixture.build(files, { noCache: true });
  assert.deepEqual(forced.cached, []);
});

test('stages that are named are built anew, the others come from the cache', async () => {
  const Dockerfile =
    'FROM busybox AS one\nRUN date > /d\nFROM busybox AS Two\nRUN echo two > /t\nCOPY --from=one d /\n';
  await fixture.build({ Dockerfile });
  const { cached } = await fixture.build({ Dockerfile }, { noCacheStages: ['TWO', 'absent'] });
  assert.deepEqual(cached, [2]);
  assert.deepEqual([...(await fixture.build({ Dockerfile })).cached].sort(), [2, 4, 5]);
});

test('a build folds metadata into the config and history as the classic builder does', async () => {
  const { image } = await fixture.build(
    {
      Dockerfile: `FROM busybox
ARG FOO=bar
WORKDIR /w/z
LABEL l="a b"
RUN echo $FOO; true
CMD ["a","b"]
ENTRYPOINT foo
EXPOSE 80 90/udp
VOLUME /v
USER 1
HEALTHCHECK --interval=90s CMD true
STOPSIGNAL 9
SHELL ["/bin/sh","-ec"]
ONBUILD RUN echo onb
`,
    },
    { labels: { k: 'v' } },
  );
  assert.deepEqual(image.config.config, {
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    Cmd: ['a', 'b'],
    WorkingDir: '/w/z',
    Labels: { l: 'a b', k: 'v' },
    Entrypoint: ['/bin/sh', '-c', 'foo'],
    ExposedPorts: { '80/tcp': {}, '90/udp': {} },
    Volumes: { '/v': {} },
    User: '1',
    Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 90e9 },
    StopSignal: '9',
    Shell: ['/bin/sh', '-ec'],
    OnBuild: ['RUN echo onb'],
  });
  assert.deepEqual(
    image.config.history?.slice(1).map((entry) => entry.created_by),
    [
      '/bin/sh -c #(nop)  ARG FOO=bar',
      '/bin/sh -c #(nop) WORKDIR /w/z',
      '/bin/sh -c #(nop)  LABEL l=a b',
      '|1 FOO=bar /bin/sh -c echo $FOO; true',
      '/bin/sh -c #(nop)  CMD ["a" "b"]',
      '/bin/sh -c #(nop)  ENTRYPOINT ["/bin/sh" "-c" "foo"]',
      '/bin/sh -c #(nop)  EXPOSE 80 90/udp',
      '/bin/sh -c #(nop)  VOLUME [/v]',
      '/bin/sh -c #(nop)  USER 1',
      '/bin/sh -c #(nop)  HEALTHCHECK &{[CMD-SHELL true] 1m30s 0s 0s 0s 0}',
      '/bin/sh -c #(nop)  STOPSIGNAL 9',
      '/bin/sh -ec #(nop)  SHELL [/bin/sh -ec]',
      '/bin/sh -ec #(nop)  ONBUILD RUN echo onb',
      '/bin/sh -ec #(nop)  LABEL k=v',
    ],
  );
});

test('a multi-stage build runs only the stages it needs and numbers their steps', async () => {
  const { events, output } = await fixture.build({
    Dockerfile: `ARG V=latest
FROM busybox:\${V} AS base
RUN echo base > /b
FROM base AS unused
RUN echo unused
FROM scratch AS art
COPY f /f
FROM base
COPY --from=art /f /w/
RUN cat /w/f /b
`,
    f: 'art\n',
  });
  assert.equal(output, 'art\nbase\n');
  const [plan] = events.filter((event) => event.kind === 'plan');
  assert.deepEqual(
    plan?.steps.map((step) => `${step.number} ${step.stage} ${step.text}`),
    [
      '1  ARG V=latest',
      '2 base FROM busybox:$'.concat('{V} AS base'),
      '3 base RUN echo base > /b',
      '4 art FROM scratch AS art',
      '5 art COPY f /f',
      '6 3 FROM base',
      '7 3 COPY --from=art /f /w/',
      '8 3 RUN cat /w/f /b',
    ],
  );
  const done = events.flatMap((event) => (event.kind === 'step-done' ? [event.step] : []));
  assert.deepEqual(done.sort(), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('independent stages run at the same time', async () => {
  const stage = (name: string, other: string) =>
    `FROM busybox AS ${name}\nRUN --mount=type=cache,target=/c touch /c/${name}; until test -f /c/${other}; do :; done; touch /${name}\n`;
  const { image } = await fixture.build({
    Dockerfile: `${stage('a', 'b')}${stage('b', 'a')}FROM scratch\nCOPY --from=a /a /\nCOPY --from=b /b /\n`,
  });
  assert.equal(image.layers.length, 2);
});

test('COPY follows Docker about names, directories, owners and modes', async () => {
  const { output } = await fixture.build({
    Dockerfile: `FROM busybox
COPY f /one
COPY f g /two/
COPY d /three
COPY *.txt /four/
COPY --chown=nobody:8 --chmod=u=rwx,go= d/s /five/
COPY --chown=5 f /six/
WORKDIR /seven
COPY f .
COPY --exclude=*.txt . /eight/
COPY <<EOF <<'RAW' /nine/
a \${HOME:-none} "q" \\\\
EOF
$x
RAW
RUN cd / && find one two three four five six seven eight nine | sort | xargs stat -c '%n %u:%g %a' && cat nine/EOF nine/RAW
`,
    f: 'f',
    g: 'g',
    'a.txt': 'a',
    'b.txt': 'b',
    'd/s/x': 'x',
    'd/e/': '',
  });
  assert.deepEqual(output.trim().split('\n'), [
    'eight 0:0 755',
    'eight/Dockerfile 0:0 644',
    'eight/d 0:0 755',
    'eight/d/e 0:0 755',
    'eight/d/s 0:0 755',
    'eight/d/s/x 0:0 644',
    'eight/f 0:0 644',
    'eight/g 0:0 644',
    'five 65534:8 700',
    'five/x 65534:8 700',
    'four 0:0 755',
    'four/a.txt 0:0 644',
    'four/b.txt 0:0 644',
    'nine 0:0 755',
    'nine/EOF 0:0 644',
    'nine/RAW 0:0 644',
    'one 0:0 644',
    'seven 0:0 755',
    'seven/f 0:0 644',
    'six 5:5 755',
    'six/f 5:5 644',
    'three 0:0 755',
    'three/e 0:0 755',
    'three/s 0:0 755',
    'three/s/x 0:0 644',
    'two 0:0 755',
    'two/f 0:0 644',
    'two/g 0:0 644',
    'a none "q" \\\\',
    '$x',
  ]);
});

test('COPY --from keeps owners, modes, times, links and set-id bits', async () => {
  const { output } = await fixture.build({
    Dockerfile: `FROM busybox AS a
RUN mkdir /t && echo x > /t/f && chown 7:8 /t/f && chmod 4755 /t/f && touch -d 200102030405 /t/f && ln /t/f /t/h && ln -s f /t/l
FROM busybox
COPY --from=a /t /tt
RUN cd /tt && stat -c '%n %u:%g %a %h %Y' f h && readlink l
`,
  });
  const [f, h, link] = output.trim().split('\n');
  assert.match(f ?? '', /^f 7:8 4755 2 9811/);
  assert.match(h ?? '', /^h 7:8 4755 2/);
  assert.equal(link, 'f');
});

test('COPY names what is missing and refuses several sources without a directory', async () => {
  const cases: [string, RegExp][] = [
    [
      'COPY nope /',
      /COPY failed: file not found in build context or excluded by .dockerignore: stat nope: file does not exist/,
    ],
    ['COPY *.nope /', /COPY failed: no source files were specified/],
    ['COPY --from=busybox /nope /', /COPY failed: stat nope: file does not exist/],
    ['COPY Dockerfile f /x', /the destination must be a directory and end with a \//],
    ['COPY --from=nosuch /a /b', /invalid from flag value nosuch: /],
    ['COPY --from=0 /a /b', /invalid from flag value 0: refers to current build stage/],
    ['COPY --chown=nobody2 f /x', /can't find uid for user nobody2: no such user: nobody2/],
    ['COPY --chmod=9 f /x', /invalid chmod parameter/],
  ];
  for (const [line, message] of cases) {
    await assert.rejects(fixture.build({ Dockerfile: `FROM busybox\n${line}\n`, f: '' }), { message });
  }
  assert.deepEqual(await fixture.leftovers(), []);
});

test('COPY never leaves its roots through symbolic links', async () => {
  const { output } = await fixture.build({
    Dockerfile: `FROM busybox AS evil
RUN ln -s /etc/passwd /link && ln -s / /up && ln -s ../../../../../.. /climb
FROM busybox
COPY --from=evil /link /copied
COPY --from=evil /climb/etc/group /group
RUN ln -s /../../../tmp/builder-escape /out
COPY f /out/f
RUN head -1 /copied && head -1 /group && ls /tmp/builder-escape
`,
    f: '',
  });
  assert.equal(output, 'root:x:0:0:root:/root:/bin/sh\nroot:x:0:\nf\n');
});

test('.dockerignore hides files from COPY, its own one of the Dockerfile first', async () => {
  const files = {
    Dockerfile: 'FROM busybox\nCOPY . /c\nRUN cd /c && find . -type f | sort\n',
    'Dockerfile.dockerignore': '*\n!keep\n',
    '.dockerignore': 'keep\n',
    'keep/a': '',
    'drop/b': '',
  };
  assert.equal((await fixture.build(files)).output, './keep/a\n');
});

test('ADD unpacks local archives, plain and compressed, and copies everything else', async () => {
  const tar = await fixture.context({ 'in/file': 'inside' });
  const { output } = await fixture.build({
    Dockerfile: `FROM busybox
ADD a.tar /a
ADD a.tar.gz /b/
ADD --chown=3:4 a.tar.gz /c/
ADD notes.gz f.tar /d/
ADD --unpack=false a.tar /e
RUN cat /a/in/file /b/in/file && stat -c '%u:%g' /a/in/file /c/in/file && ls /d && stat -c %F /e
`,
    'a.tar': tar,
    'a.tar.gz': gzipSync(tar),
    'notes.gz': gzipSync('text'),
    'f.tar': 'not a tar',
  });
  assert.equal(output, 'insideinside77:77\n3:4\nf.tar\nnotes.gz\nregular file\n');
});

test('ADD fetches addresses, checks their digest, and does not unpack them unless asked', async () => {
  const tar = await fixture.context({ 'in/file': 'inside' });
  const server = createServer((request, response) => {
    if (request.url === '/missing') response.writeHead(404).end();
    else response.writeHead(200, { 'last-modified': 'Sat, 03 Feb 2001 04:05:06 GMT' }).end(tar);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const url = `http://127.0.0.1:${address.port}`;
    const { output } = await fixture.build({
      Dockerfile: `FROM busybox
ADD --checksum=${digestOf(tar)} ${url}/a.tar /got/
ADD --unpack=true ${url}/b.tar /un/
ADD ${url}/c.tar /named
RUN stat -c '%a %Y' /got/a.tar && cat /un/in/file && test -f /named
`,
    });
    assert.equal(output, '600 981173106\ninside');
    const zero = `sha256:${'0'.repeat(64)}`;
    const wrong = fixture.build({ Dockerfile: `FROM busybox\nADD --checksum=${zero} ${url}/a.tar /x\n` });
    await assert.rejects(wrong, { kind: 'invalid', message: /digest mismatch/ });
    const missing = fixture.build({ Dockerfile: `FROM busybox\nADD ${url}/missing /x\n` });
    await assert.rejects(missing, { kind: 'unavailable', message: /answered 404/ });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('RUN --mount gives caches, tmpfs and bind mounts that are not in the layer', async () => {
  const dockerfile = (text: string) => `FROM busybox AS src
RUN echo from > /data
FROM busybox
RUN --mount=type=cache,target=/cache --mount=type=tmpfs,target=/t,size=1m --mount=type=bind,from=src,source=/data,target=/mnt/data --mount=target=/ctx cat /mnt/data /ctx/f; ls /cache; touch /t/x /cache/${text}; touch /mnt/data 2>/dev/null || echo readonly
`;
  const first = await fixture.build({ Dockerfile: dockerfile('one'), f: 'context\n' });
  assert.equal(first.output, 'from\ncontext\nreadonly\n');
  assert.equal(first.image.config.history?.at(-1)?.empty_layer, true);
  const second = await fixture.build({ Dockerfile: dockerfile('two'), f: 'context\n' });
  assert.equal(second.output, 'from\ncontext\none\nreadonly\n');
});

test('here-documents of RUN are scripts, with their own interpreter where they name one', async () => {
  const { output } = await fixture.build({
    Dockerfile:
      'FROM busybox\nRUN <<EOF\necho a\necho "$0"\nEOF\nRUN <<EOF\n#!/bin/cat\ntext\nEOF\nRUN cat <<X\n$HOME\nX\n',
  });
  assert.equal(output, 'a\n/bin/sh\n#!/bin/cat\ntext\n/root\n');
});

test('triggers of the base image run first in the stage that uses it', async () => {
  await fixture.build(
    { Dockerfile: 'FROM busybox\nONBUILD COPY f /f\nONBUILD RUN cat /f\n', f: 'base' },
    { tags: ['triggers:1'] },
  );
  const { output, image, events } = await fixture.build({ Dockerfile: 'FROM triggers:1\nENV a=1\n', f: 'mine\n' });
  assert.equal(output, 'mine\n');
  assert.equal(image.config.config?.OnBuild, undefined);
  const done = events.flatMap((event) => (event.kind === 'step-done' ? [event.step] : []));
  assert.deepEqual(done, [1, 2]);
});

test('a base image whose config says null for what it does not set is one without it', async () => {
  const config = JSON.parse('{"OnBuild":null,"Env":null,"Labels":null,"Volumes":null,"ExposedPorts":null}');
  const tar = await fixture.context({ f: 'x' });
  await fixture.images.import(Readable.from([tar]), { target: 'nulls:1', config });
  const { image } = await fixture.build({ Dockerfile: 'FROM nulls:1\nENV a=1\nVOLUME /v\nEXPOSE 1\nLABEL b=2\n' });
  assert.deepEqual(image.config.config?.Labels, { b: '2' });
  assert.ok(image.config.config?.Env?.includes('a=1'));
});

test('build arguments reach RUN, ENV hides them, unused ones are told', async () => {
  const { output, events } = await fixture.build(
    {
      Dockerfile:
        'ARG G=g\nFROM busybox\nARG G\nARG A=1\nARG B\nENV B=env\nARG TARGETARCH\nRUN echo $G $A $B $HTTP_PROXY $TARGETARCH\n',
    },
    { buildArgs: { A: '2', B: '3', NOPE: 'x', HTTP_PROXY: 'p' } },
  );
  assert.match(output, /^g 2 env p \S+\n$/);
  const warnings = events.flatMap((event) => (event.kind === 'warning' ? [event.message] : []));
  assert.deepEqual(warnings, ['One or more build-args [NOPE] were not consumed']);
});

test('a build that adds nothing to its base is the base, with the new tags', async () => {
  const base = await fixture.images.get('busybox');
  const { imageId } = await fixture.build({ Dockerfile: 'FROM busybox\n' }, { tags: ['same:1', 'same:2'] });
  assert.equal(imageId, base.id);
  assert.equal((await fixture.images.get('same:2')).id, base.id);
});

test('an aborted build stops its containers and leaves nothing', async () => {
  const abort = new AbortController();
  const onEvent = (event: { kind: string }) => {
    if (event.kind === 'step-output') abort.abort();
  };
  const build = fixture.build(
    { Dockerfile: 'FROM busybox\nRUN echo started; sleep 1000\n' },
    { signal: abort.signal, onEvent },
  );
  await assert.rejects(build, { kind: 'canceled' });
  assert.deepEqual(await fixture.leftovers(), []);
});

test('reconcile ends and removes what a killed builder left', async () => {
  const id = newId();
  const { hierarchies } = await detectCgroups();
  for (const { mountpoint } of hierarchies) mkdirSync(`${mountpoint}${fixture.cgroup}/${id}`, { recursive: true });
  const process = spawn('sleep', ['1000']);
  const exit = once(process, 'exit');
  const [first] = hierarchies;
  assert.ok(first);
  writeFileSync(`${first.mountpoint}${fixture.cgroup}/${id}/cgroup.procs`, String(process.pid));
  const step = join(fixture.directory, 'exec/builder/dead/1');
  mkdirSync(step, { recursive: true });
  writeFileSync(join(step, 'container'), id);
  await fixture.snapshots.prepare('build-dead-1');
  mkdirSync(join(fixture.directory, 'builder/builds/dead'), { recursive: true });
  await fixture.builder.reconcile();
  assert.deepEqual(await exit, [null, 'SIGKILL']);
  assert.equal(existsSync(`${first.mountpoint}${fixture.cgroup}/${id}`), false);
  assert.deepEqual(await fixture.leftovers(), []);
});

test('disk usage lists records, and prune removes those no image shares', async () => {
  await fixture.build({ Dockerfile: 'FROM busybox\nRUN echo kept > /kept\n' });
  const before = await fixture.builder.diskUsage();
  const kept = before.find((record) => record.description.includes('/kept'));
  assert.equal(kept?.shared, true);
  assert.ok((kept?.size ?? 0) > 0);
  const { deleted } = await fixture.builder.prune({ all: true, filters: {} });
  assert.equal(deleted.length, before.length);
  assert.deepEqual(await fixture.builder.diskUsage(), []);
});

test('a bad Dockerfile or context is refused before anything runs', async () => {
  await assert.rejects(fixture.build({ Dockerfile: 'FOO x\n' }), {
    message: 'dockerfile parse error on line 1: unknown instruction: FOO (did you mean FROM?)',
  });
  await assert.rejects(fixture.build({ x: '' }), { message: 'Cannot locate specified Dockerfile: Dockerfile' });
  await assert.rejects(fixture.build({ Dockerfile: 'FROM nosuch\n' }), { kind: 'not-found' });
  await assert.rejects(fixture.build({ Dockerfile: 'FROM busybox\nENV a=$'.concat('{b?gone}\n') }), {
    message: /^failed to process "\$\{b\?gone\}": b: gone \(Dockerfile line 2: ENV\)$/,
  });
  assert.deepEqual(await fixture.leftovers(), []);
});
