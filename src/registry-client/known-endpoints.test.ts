import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { FakeRegistry } from '#testkit';
import { createRegistryClient } from './http-registry-client.ts';

const client = createRegistryClient({ attempts: 1, backoff: 1, environment: {}, certificateDirectories: [] });
after(() => client.close());

test('what an endpoint told of itself is asked for once, and again when it proves wrong', async () => {
  await using registry = await new FakeRegistry().start();
  registry.addManifest('team/app', 'v1', '{"schemaVersion":2}');
  const resolve = () => client.repository({ domain: registry.host, path: 'team/app' }).resolve('v1');
  await resolve();
  await resolve();
  assert.equal(registry.requests.filter((line) => line === 'GET /v2/').length, 1);
  let refusals = 1;
  registry.intercept = (_request, response) => {
    if (refusals-- <= 0) return false;
    response.writeHead(400).end('Client sent an HTTP request to an HTTPS server.');
    return true;
  };
  await resolve();
  assert.equal(registry.requests.filter((line) => line === 'GET /v2/').length, 2);
});

test('a registry that has gone is told of in the words of a first look at it', async () => {
  const registry = await new FakeRegistry().start();
  registry.addManifest('team/app', 'v1', '{"schemaVersion":2}');
  const { host } = registry;
  await client.repository({ domain: host, path: 'team/app' }).resolve('v1');
  await registry[Symbol.asyncDispose]();
  await assert.rejects(client.repository({ domain: host, path: 'team/app' }).resolve('v1'), {
    message: `Get "http://${host}/v2/": dial tcp ${host}: connect: connection refused`,
  });
});
