import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { type Digest, digestOf, isBerthError } from '#base';
import { FakeRegistry, failRequest } from '#testkit';
import { createRegistryClient } from './http-registry-client.ts';

const client = createRegistryClient({ backoff: 1, stallTimeout: 300, environment: {}, certificateDirectories: [] });
after(() => client.close());
const start = () => new FakeRegistry().start();
const at = (registry: FakeRegistry, path = 'team/app') => client.repository({ domain: registry.host, path });
const sourceOf = (bytes: Buffer) => async () => Readable.from([bytes], { objectMode: false });

test('resolve and manifest find a tag and check the digest', async () => {
  await using registry = await start();
  const digest = registry.addManifest('team/app', 'v1', '{"schemaVersion":2}');
  const type = 'application/vnd.oci.image.manifest.v1+json';
  assert.deepEqual(await at(registry).resolve('v1'), { mediaType: type, digest, size: 19 });
  assert.equal((await at(registry).manifest(digest)).bytes.toString(), '{"schemaVersion":2}');
  registry.manifests.set(`team/app@${digest}`, { type, bytes: Buffer.from('{"other":1}') });
  await assert.rejects(at(registry).manifest(digest), /manifest verification failed/);
});

test('resolve asks by GET where HEAD is not answered well', async () => {
  await using registry = await start();
  const digest = registry.addManifest('team/app', 'v1', '{"manifests":[]}', 'application/json');
  registry.intercept = (request, response) => {
    if (request.method !== 'HEAD') return false;
    response.writeHead(405).end();
    return true;
  };
  const found = await at(registry).resolve('v1');
  assert.deepEqual(found, { mediaType: 'application/vnd.oci.image.index.v1+json', digest, size: 16 });
});

test('what is missing is told in the words of Docker', async () => {
  await using registry = await start();
  const name = `${registry.host}/team/app`;
  await assert.rejects(at(registry).resolve('no'), {
    kind: 'not-found',
    message: `manifest for ${name}:no not found: manifest unknown: manifest unknown`,
  });
  const digest: Digest = `sha256:${'0'.repeat(64)}`;
  await assert.rejects(at(registry).openBlob({ mediaType: '', digest, size: 1 }), {
    kind: 'not-found',
    message: `unknown blob: ${digest}`,
  });
  registry.intercept = (_request, response, url) => {
    if (url.pathname === '/v2/') return false;
    failRequest(response, 403, 'DENIED', 'requested access to the resource is denied');
    return true;
  };
  await assert.rejects(at(registry).resolve('x'), {
    kind: 'not-found',
    message:
      `pull access denied for ${name}, repository does not exist or may require 'docker login': ` +
      'denied: requested access to the resource is denied',
  });
});

test('a registry that is not there is named with the address', async () => {
  const registry = await start();
  const { host } = registry;
  await registry[Symbol.asyncDispose]();
  await assert.rejects(client.repository({ domain: host, path: 'a/b' }).resolve('x'), {
    kind: 'unavailable',
    message: `Get "http://${host}/v2/": dial tcp ${host}: connect: connection refused`,
  });
});

test('a manifest larger than 4 MiB is refused', async () => {
  await using registry = await start();
  registry.addManifest('team/app', 'big', `{"x":"${'y'.repeat(4 * 1024 * 1024)}"}`);
  await assert.rejects(at(registry).manifest('big'), /larger than 4194304 bytes/);
});

test('a blob whose connection is cut again and again arrives whole by range requests', async () => {
  await using registry = await start();
  const bytes = randomBytes(700_000);
  const descriptor = registry.addBlob('team/app', bytes);
  const ranges: (string | undefined)[] = [];
  registry.intercept = (request, response) => {
    if (!request.url?.includes('/blobs/') || request.method !== 'GET') return false;
    ranges.push(request.headers.range);
    if (ranges.length > 3) return false;
    const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
    if (from > 0) response.setHeader('content-range', `bytes ${from}-${bytes.length - 1}/${bytes.length}`);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': bytes.length - from });
    response.write(bytes.subarray(from, from + 100_000), () => response.destroy());
    return true;
  };
  assert.ok((await buffer(await at(registry).openBlob(descriptor))).equals(bytes));
  assert.equal(ranges.length, 4);
  assert.equal(ranges[0], undefined);
});

test('a blob is taken up at an offset, also where the registry knows no ranges', async () => {
  await using registry = await start();
  const bytes = randomBytes(5000);
  const descriptor = registry.addBlob('team/app', bytes);
  assert.ok((await buffer(await at(registry).openBlob(descriptor, { offset: 1234 }))).equals(bytes.subarray(1234)));
  registry.intercept = (request, response) => {
    if (!request.url?.includes('/blobs/')) return false;
    response.end(bytes);
    return true;
  };
  assert.ok((await buffer(await at(registry).openBlob(descriptor, { offset: 1234 }))).equals(bytes.subarray(1234)));
});

test('a blob with other bytes, or more of them, than its descriptor says fails', async () => {
  await using registry = await start();
  const descriptor = registry.addBlob('team/app', Buffer.from('right'));
  registry.blobs.set(`team/app@${descriptor.digest}`, Buffer.from('wrong'));
  await assert.rejects(at(registry).openBlob(descriptor).then(buffer), /verification failed for digest/);
  registry.blobs.set(`team/app@${descriptor.digest}`, Buffer.from('much too long'));
  await assert.rejects(at(registry).openBlob(descriptor), /more than its 5 bytes/);
});

test('a stalled blob is given up, and aborting ends the wait', async () => {
  await using registry = await start();
  const descriptor = registry.addBlob('team/app', Buffer.alloc(1000));
  registry.intercept = (request, response) => {
    if (!request.url?.includes('/blobs/')) return false;
    response.writeHead(200, { 'content-length': 1000 });
    response.write('x');
    return true;
  };
  const control = new AbortController();
  const stream = await at(registry).openBlob(descriptor, { signal: control.signal });
  stream.once('data', () => control.abort());
  await assert.rejects(buffer(stream), (error) => isBerthError(error, 'canceled'));
  const hasty = createRegistryClient({ attempts: 1, stallTimeout: 20, environment: {} });
  const stalled = hasty.repository({ domain: registry.host, path: 'team/app' }).openBlob(descriptor);
  await assert.rejects(
    stalled.then(buffer),
    (error) => isBerthError(error, 'timeout') || isBerthError(error, 'unavailable'),
  );
  hasty.close();
});

test('busy and broken answers are asked again, as late as the registry wishes', async () => {
  await using registry = await start();
  registry.addManifest('team/app', 'v1', '{}');
  let refusals = 3;
  registry.intercept = (request, response) => {
    if (!request.url?.includes('/manifests/') || refusals-- <= 0) return false;
    response.writeHead(refusals === 1 ? 503 : 429, { 'retry-after': '0' }).end();
    return true;
  };
  await at(registry).resolve('v1');
  refusals = 100;
  await assert.rejects(at(registry).resolve('v1'), (error) => isBerthError(error, 'unavailable'));
});

test('pushBlob does nothing for a blob that is there, mounts one from a neighbour, and uploads the rest', async () => {
  await using registry = await start();
  const bytes = randomBytes(300_000);
  const there = registry.addBlob('team/app', Buffer.from('there'));
  const near = registry.addBlob('team/other', Buffer.from('near'));
  const fresh = { mediaType: '', digest: digestOf(bytes), size: bytes.length };
  const never = () => Promise.reject(new Error('not to be read'));
  assert.deepEqual(await at(registry).pushBlob(there, never), { kind: 'exists' });
  const mountFrom = ['team/none', 'team/other'];
  assert.deepEqual(await at(registry).pushBlob(near, never, { mountFrom }), { kind: 'mounted', from: 'team/other' });
  const heard: number[] = [];
  const onProgress = (sent: number) => heard.push(sent);
  assert.deepEqual(await at(registry).pushBlob(fresh, sourceOf(bytes), { onProgress, mountFrom }), {
    kind: 'uploaded',
  });
  assert.ok(registry.blobs.get(`team/app@${fresh.digest}`)?.equals(bytes));
  assert.equal(heard.at(-1), bytes.length);
});

test('a neighbour that may not be read does not keep a blob from being uploaded', async () => {
  await using registry = await start();
  const bytes = Buffer.from('mine');
  registry.intercept = (_request, response, url) => {
    if (!url.searchParams.has('mount')) return false;
    failRequest(response, 403, 'DENIED', 'requested access to the resource is denied');
    return true;
  };
  const descriptor = { mediaType: '', digest: digestOf(bytes), size: bytes.length };
  const outcome = await at(registry).pushBlob(descriptor, sourceOf(bytes), { mountFrom: ['secret/app'] });
  assert.deepEqual(outcome, { kind: 'uploaded' });
});

test('an upload that breaks begins anew, and a registry that wants chunks gets them', async () => {
  await using registry = await start();
  const bytes = randomBytes(100_000);
  const descriptor = { mediaType: '', digest: digestOf(bytes), size: bytes.length };
  let puts = 0;
  registry.intercept = async (request, response, url) => {
    if (request.method !== 'PUT' || url.pathname.endsWith('two')) return false;
    puts += 1;
    if (puts === 1) response.destroy();
    else {
      await buffer(request);
      response.writeHead(405).end();
    }
    return true;
  };
  assert.deepEqual(await at(registry).pushBlob(descriptor, sourceOf(bytes)), { kind: 'uploaded' });
  assert.equal(puts, 2);
  assert.ok(registry.requests.some((line) => line.startsWith('PATCH ')));
  assert.ok(registry.blobs.get(`team/app@${descriptor.digest}`)?.equals(bytes));
});

test('pushManifest puts it under a tag, and under no digest but its own', async () => {
  await using registry = await start();
  const bytes = Buffer.from('{"schemaVersion":2}');
  assert.equal(await at(registry).pushManifest('v2', 'application/x', bytes), digestOf(bytes));
  assert.equal((await at(registry).manifest('v2')).descriptor.mediaType, 'application/x');
  await assert.rejects(at(registry).pushManifest(digestOf('other'), 'application/x', bytes), /has the digest/);
});

test('tags come page by page, and never from another host', async () => {
  await using registry = await start();
  let next = '</v2/team/app/tags/list?last=b>; rel="next"';
  registry.intercept = (_request, response, url) => {
    if (!url.pathname.endsWith('/tags/list')) return false;
    const isLast = url.searchParams.has('last');
    if (!isLast) response.setHeader('link', next);
    response.end(JSON.stringify({ tags: isLast ? ['c'] : ['a', 'b'] }));
    return true;
  };
  const list = async () => {
    const tags: string[] = [];
    for await (const tag of at(registry).tags()) tags.push(tag);
    return tags;
  };
  assert.deepEqual(await list(), ['a', 'b', 'c']);
  next = '<http://169.254.169.254/secrets>; rel="next"';
  await assert.rejects(list(), /continues a list on 169\.254/);
});

test('a mirror of docker.io is asked before it and never sees its login', async () => {
  await using mirror = await start();
  const digest = mirror.addManifest('library/debian', 'latest', '{}');
  const mirrored = createRegistryClient({ mirrors: [`http://${mirror.host}/`], environment: {} });
  const repository = mirrored.repository(
    { domain: 'docker.io', path: 'library/debian' },
    { username: 'u', password: 'p' },
  );
  assert.equal((await repository.resolve('latest')).digest, digest);
  assert.ok(mirror.authorizations.every((header) => header === undefined));
  mirrored.close();
  assert.throws(() => createRegistryClient({ mirrors: ['mirror'] }), /invalid mirror "mirror"/);
});
