import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { extract, pack } from 'tar-stream';
import { invalid, isBerthError, notFound } from '#base';
import type { Builder, BuildRequest } from '#builder';
import {
  buildIdKey,
  type CallOptions,
  type ControlSolve,
  connectGrpc,
  controlMethods,
  type GatewaySolve,
  type GrpcCaller,
  gatewayMethods,
  serveGrpc,
  sessionMethods,
  streaming,
  type Trace,
} from '#buildkit';
import { startTestServer } from '../testing/fake-ports.ts';
import { filesHandler, upgrade } from '../testing/session-client.ts';

const imageId = `sha256:${'1'.repeat(64)}` as const;
const otherId = `sha256:${'2'.repeat(64)}` as const;

const question = (given: Partial<ControlSolve>): ControlSolve => ({
  Ref: 'one',
  Definition: null,
  Session: '',
  Frontend: '',
  FrontendAttrs: {},
  Cache: null,
  Entitlements: [],
  Exporters: [],
  ExporterDeprecated: '',
  ExporterAttrsDeprecated: {},
  ...given,
});

const wanted = (given: Partial<GatewaySolve>): GatewaySolve => ({
  Definition: null,
  Frontend: 'dockerfile.v0',
  FrontendOpt: {},
  FrontendInputs: {},
  Evaluate: false,
  ...given,
});

async function namesIn(tar: Readable): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of tar.pipe(extract())) {
    names.push(entry.header.name);
    entry.resume();
  }
  return names;
}

describe('the control API', () => {
  let server: Awaited<ReturnType<typeof startTestServer>>;
  let run: Builder['build'];
  let caller: GrpcCaller;
  const usage = {
    type: 'regular',
    inUse: false,
    size: 5,
    createdAt: 1_000_500,
    lastUsedAt: 2_000_000,
    usageCount: 3,
  };
  const pruned: unknown[] = [];
  const taken: Uint8Array[] = [];

  before(async () => {
    server = await startTestServer({
      builder: {
        build: (asked) => run(asked),
        diskUsage: async () => [
          { ...usage, id: 'a', description: 'RUN a', shared: false },
          { ...usage, id: 'b', description: 'RUN b', shared: true },
        ],
        prune: async (options) => {
          pruned.push(options);
          return { deleted: ['a'], reclaimed: 5 };
        },
        readFiles: (image, use) =>
          use({
            directory: '/nonexistent',
            tar: () => Promise.resolve(Readable.from([Buffer.from(`the files of ${image}`)])),
          }),
      },
      networks: { get: () => Promise.reject(notFound('network bridge not found')) },
    });
    serveGrpc(await upgrade(server.path, '/session', { 'x-docker-expose-session-uuid': 'files' }), [
      filesHandler(
        {
          dockerfile: { Dockerfile: 'FROM x\nRUN a && \\\n  b\n' },
          context: { a: 'aa' },
          extra: { e: 'e' },
          other: { o: 'o' },
        },
        [],
      ),
      // An archive of one file, whose name is what was asked for.
      streaming(sessionMethods.pullUpload, async (stream) => {
        const archive = pack();
        archive.entry({ name: stream.metadata.urlpath?.[0] ?? '' }, '');
        archive.finalize();
        for await (const data of archive) await stream.send({ data: data as Buffer });
      }),
      streaming(sessionMethods.takeArchive, async (stream) => {
        for await (const { data } of stream.received) taken.push(data);
      }),
    ]);
  });
  after(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    run = () => Promise.resolve({ imageId });
    caller = connectGrpc(await upgrade(server.path, '/grpc'));
  });
  afterEach(() => caller.close());

  const inBuild = (ref: string): CallOptions => ({ metadata: { [buildIdKey]: [ref] } });
  const solveRef = async (ref: string, given: Partial<GatewaySolve>) => {
    const { result } = await caller.ask(gatewayMethods.solve, wanted(given), inBuild(ref));
    assert.ok(result.ref?.def);
    return { id: result.ref.id, def: result.ref.def };
  };
  const giveBack = (ref: string, result: { id: string } | undefined) =>
    caller.ask(
      gatewayMethods.return,
      { result: { ref: result === undefined ? null : { ...result, def: null }, refs: null }, error: null },
      inBuild(ref),
    );
  const statusOf = async (ref: string): Promise<Trace[]> => {
    const stream = caller.open(controlMethods.status);
    await stream.send({ Ref: ref });
    stream.end();
    const parts: Trace[] = [];
    for await (const part of stream.received) parts.push(part);
    return parts;
  };

  test('builds what the client describes beside its call, and tells what happens', async () => {
    let asked: BuildRequest | undefined;
    run = (given) => {
      asked = given;
      given.context.resume();
      given.onEvent({ kind: 'plan', steps: [{ number: 1, text: 'RUN a', stage: '0', line: 2 }] });
      given.onEvent({ kind: 'step-done', step: 1, cached: true });
      return Promise.resolve({ imageId });
    };
    const status = statusOf('one');
    const solved = caller.ask(
      controlMethods.solve,
      question({ Session: 'files', Exporters: [{ Type: 'moby', Attrs: { name: 'x,example.com/y:1' } }] }),
    );
    const pong = await caller.ask(gatewayMethods.ping, {}, inBuild('one'));
    assert.ok(pong.FrontendAPICaps.every(({ Enabled }) => Enabled));
    const FrontendOpt = {
      filename: 'Dockerfile',
      target: 't',
      platform: 'linux/amd64',
      'build-arg:A': '1',
      'label:l': 'v',
      'context:c': 'docker-image://c:1',
      'no-cache': '',
      'image-resolve-mode': 'pull',
      'add-hosts': 'h=1.2.3.4,g=::1',
      'force-network-mode': 'none',
      'shm-size': '1024',
      'cache-imports': '[{"Type":"registry","Attrs":{"ref":"r"}},{"Type":"gha","Attrs":{}}]',
      ulimit: 'nofile=1:1',
    };
    await giveBack('one', await solveRef('one', { FrontendOpt }));
    assert.deepEqual(await solved, {
      ExporterResponse: {
        'containerimage.digest': imageId,
        'containerimage.config.digest': imageId,
        'image.name': 'docker.io/library/x,example.com/y:1',
      },
    });
    const {
      context: _context,
      signal,
      onEvent: _onEvent,
      secrets,
      agents,
      login,
      ...rest
    } = asked ?? assert.fail('nothing was built');
    assert.ok(signal.aborted && secrets && agents && login);
    assert.deepEqual(rest, {
      dockerfile: 'Dockerfile',
      recipe: { text: 'FROM x\nRUN a && \\\n  b\n', ignore: '' },
      tags: ['x:latest', 'example.com/y:1'],
      target: 't',
      platform: { os: 'linux', architecture: 'amd64' },
      buildArgs: { A: '1' },
      labels: { l: 'v' },
      contexts: { c: { kind: 'image', reference: 'c:1' } },
      noCache: true,
      pull: true,
      extraHosts: ['h:1.2.3.4', 'g:::1'],
      networkMode: 'none',
      shmSize: 1024,
      cacheFrom: ['r'],
      squash: false,
      credentials: {},
    });
    const parts = await status;
    const names = new Set(parts.flatMap(({ vertexes }) => vertexes.map(({ name }) => name)));
    assert.deepEqual(
      [...names],
      [
        '[internal] load build definition from Dockerfile',
        '[internal] load .dockerignore',
        '[internal] load build context',
        '[1/1] RUN a',
      ],
    );
    assert.ok(parts.some(({ warnings }) => warnings.some(({ short }) => short.startsWith('--ulimit has no effect'))));
  });

  test('a build can begin with the result of another, which is then built once', async () => {
    const references: unknown[] = [];
    let builds = 0;
    run = (given) => {
      builds++;
      given.context.resume();
      references.push(given.contexts);
      return Promise.resolve({ imageId: given.target === 'low' ? otherId : imageId });
    };
    const low = caller.ask(controlMethods.solve, question({ Ref: 'low', Session: 'files' }));
    const high = caller.ask(controlMethods.solve, question({ Ref: 'high', Session: 'files' }));
    const lowRef = await solveRef('low', { FrontendOpt: { target: 'low' } });
    const highRef = await solveRef('high', {
      FrontendOpt: { 'context:base': 'input:0-low' },
      FrontendInputs: { '0-low': lowRef.def },
    });
    await caller.ask(gatewayMethods.evaluate, { Ref: lowRef.id }, inBuild('low'));
    await giveBack('low', lowRef);
    assert.equal((await low).ExporterResponse['containerimage.digest'], otherId);
    await giveBack('high', highRef);
    assert.equal((await high).ExporterResponse['containerimage.digest'], imageId);
    assert.equal(builds, 2);
    assert.deepEqual(references, [{}, { base: { kind: 'image', reference: otherId } }]);
  });

  test('contexts come from directories of the session, and whole archives from what it holds', async () => {
    const texts: string[] = [];
    run = async (given) => {
      const extra = given.contexts?.extra;
      assert.equal(extra?.kind, 'tree');
      for (const tar of [given.context, await extra.read(given.signal)]) texts.push(...(await namesIn(tar)));
      return { imageId };
    };
    const whole = (FrontendAttrs: Record<string, string>) =>
      caller.ask(controlMethods.solve, question({ Session: 'files', Frontend: 'dockerfile.v0', FrontendAttrs }));
    await whole({ 'context:extra': 'local:extra', contextkey: 'other' });
    assert.deepEqual(texts.splice(0), ['o', 'e']);
    await whole({ 'context:extra': 'local:extra', context: 'http://buildkit-session/archive' });
    assert.deepEqual(texts, ['/archive', 'e']);
  });

  test('files of the image are sent to the client as a tar', async () => {
    run = (given) => {
      given.context.resume();
      return Promise.resolve({ imageId });
    };
    const Exporters = [{ Type: 'tar', Attrs: {} }];
    const solved = await caller.ask(
      controlMethods.solve,
      question({ Session: 'files', Frontend: 'dockerfile.v0', Exporters }),
    );
    assert.deepEqual(solved, { ExporterResponse: {} });
    assert.equal(Buffer.concat(taken).toString(), `the files of ${imageId}`);
  });

  test('a failure is told in BuildKit’s words, with no kind that clients would show', async () => {
    run = (given) => {
      given.context.resume();
      return Promise.reject(invalid('the command', { details: { command: '/bin/sh -c x', code: 3 } }));
    };
    const solved = caller.ask(controlMethods.solve, question({ Session: 'files', Frontend: 'dockerfile.v0' }));
    await assert.rejects(solved, (error: unknown) => {
      assert.ok(isBerthError(error));
      assert.equal(error.message, 'process "/bin/sh -c x" did not complete successfully: exit code: 3');
      assert.equal(error.details.grpcCode, 2);
      return true;
    });
    const failed = assert.rejects(caller.ask(controlMethods.solve, question({ Ref: 'two' })), /went wrong there/);
    await caller.ask(
      gatewayMethods.return,
      { result: null, error: { code: 2, message: 'went wrong there' } },
      inBuild('two'),
    );
    await failed;
  });

  test('a client without a result gets an empty answer', async () => {
    const solved = caller.ask(controlMethods.solve, question({}));
    await giveBack('one', undefined);
    assert.deepEqual(await solved, { ExporterResponse: {} });
  });

  test('what is no build of a Dockerfile into an image is refused by name', async () => {
    const def = { def: [Buffer.from([0x0a, 0])], metadata: {} };
    await assert.rejects(caller.ask(controlMethods.solve, question({ Definition: def })), /graphs of LLB/);
    await assert.rejects(caller.ask(controlMethods.solve, question({ Frontend: 'gateway.v0' })), /gateway\.v0/);
    const whole = (given: Partial<ControlSolve>) =>
      caller.ask(controlMethods.solve, question({ Session: 'files', Frontend: 'dockerfile.v0', ...given }));
    await assert.rejects(whole({ Exporters: [{ Type: 'oci', Attrs: {} }] }), /output of type oci/);
    await assert.rejects(whole({ Cache: { Exports: [{ Type: 's3', Attrs: {} }] } }), /cache export of type s3/);
    await assert.rejects(whole({ FrontendAttrs: { requestid: 'frontend.lint' } }), /leave out --call/);
    await assert.rejects(whole({ FrontendAttrs: { platform: 'linux/amd64,linux/arm64' } }), /one platform at a time/);
    await assert.rejects(whole({ FrontendAttrs: { context: 'https://x/y.git' } }), /build context .*: fetch it/);
    await assert.rejects(whole({ Session: '' }), /no local sources enabled/);
    await assert.rejects(caller.ask(gatewayMethods.ping, {}), /which build/);
  });

  test('a build ends with the call that began it', async () => {
    const begun = new Promise<AbortSignal>((resolve) => {
      run = (given) => {
        resolve(given.signal);
        return new Promise((_, reject) => given.signal.addEventListener('abort', () => reject(given.signal.reason)));
      };
    });
    const controller = new AbortController();
    const solved = caller.ask(controlMethods.solve, question({ Session: 'files', Frontend: 'dockerfile.v0' }), {
      signal: controller.signal,
    });
    const status = statusOf('one');
    const signal = await begun;
    controller.abort();
    await assert.rejects(solved, (error: unknown) => isBerthError(error, 'canceled'));
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    assert.ok((await status).length > 0);
  });

  test('the build cache is listed and pruned by filters', async () => {
    const ids = async (...filter: string[]) =>
      (await caller.ask(controlMethods.diskUsage, { filter })).record.map(({ ID }) => ID);
    assert.deepEqual(await ids(''), ['a', 'b']);
    assert.deepEqual(await ids('shared'), ['b']);
    assert.deepEqual(await ids('private,type==regular'), ['a']);
    assert.deepEqual(await ids('description~=b', 'inuse==false'), ['b']);
    await assert.rejects(ids('nonsense'), /invalid filter/);
    const stream = caller.open(controlMethods.prune);
    const filter = ['description~=RUN'];
    await stream.send({ filter, all: true, keepDuration: 3.6e12, reservedSpace: 7, maxUsedSpace: 0 });
    stream.end();
    const removed: unknown[] = [];
    for await (const { ID, CreatedAt, Size } of stream.received) removed.push({ ID, CreatedAt, Size });
    assert.deepEqual(removed, [{ ID: 'a', CreatedAt: { seconds: 1000, nanos: 500_000_000 }, Size: 5 }]);
    assert.deepEqual(pruned, [{ all: true, filters: { description: ['RUN'], 'unused-for': ['3600s'] }, keepBytes: 7 }]);
  });

  test('says what builds here, and that nothing is kept of earlier builds', async () => {
    const { record } = await caller.ask(controlMethods.listWorkers, { filter: [] });
    assert.deepEqual(
      record.map(({ ID, platforms, BuildkitVersion }) => [ID, platforms, BuildkitVersion.version]),
      [['fake', [{ Architecture: 'amd64', OS: 'linux', Variant: '' }], 'v0.1.0']],
    );
    assert.equal((await caller.ask(controlMethods.info, {})).buildkitVersion.package, 'berth');
    const history = caller.open(controlMethods.listenHistory);
    await history.send({ ActiveOnly: false, Ref: '', EarlyExit: true });
    history.end();
    for await (const event of history.received) assert.fail(`an event: ${JSON.stringify(event)}`);
    await assert.rejects(caller.ask(controlMethods.updateHistory, { Ref: 'x' }), /keeps no history/);
  });
});
