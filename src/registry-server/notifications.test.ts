import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { it } from 'node:test';
import { TestRegistry } from './fixture.test.ts';

interface Told {
  readonly action: string;
  readonly target: { repository: string; tag?: string; digest?: string; size?: number; url?: string };
}

/** A webhook that answers with the next status of a list (then 200), and waits for events. */
class Hook implements AsyncDisposable {
  readonly told: Told[] = [];
  readonly authorizations: (string | undefined)[] = [];
  statuses: number[] = [];
  #waiting: (() => void)[] = [];
  readonly #server = createServer(async (request, response) => {
    const body = (await json(request)) as { events: Told[] };
    const status = this.statuses.shift() ?? 200;
    this.authorizations.push(request.headers.authorization);
    response.writeHead(status).end();
    if (status === 200) this.told.push(...body.events);
    for (const wake of this.#waiting.splice(0)) wake();
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

it('tells webhooks of pushes and deletes in order, again after a failure, and after a restart', async () => {
  await using hook = await new Hook().start();
  const settings = { webhooks: [{ name: 'ci', url: hook.url, headers: { Authorization: 'Bearer x' } }] };
  await using registry = await TestRegistry.start(settings);
  hook.statuses = [500];
  const image = await registry.pushImage('some/app', 'v1');
  await hook.until(() => hook.told.some(({ target }) => target.tag === 'v1'));
  assert.deepEqual(
    hook.told.map(({ action, target }) => [action, target.repository, target.tag ?? '']),
    [
      ['push', 'some/app', ''],
      ['push', 'some/app', ''],
      ['push', 'some/app', 'v1'],
    ],
  );
  assert.equal(hook.told.at(-1)?.target.digest, image.digest);
  assert.equal(hook.authorizations[0], 'Bearer x');
  for (const { target } of hook.told) {
    const fetched = await fetch(target.url ?? '');
    assert.deepEqual([fetched.status, (await fetched.arrayBuffer()).byteLength], [200, target.size]);
  }

  hook.statuses = Array(100).fill(503);
  const failed = hook.authorizations.length;
  await registry.send('DELETE', '/v2/some/app/manifests/v1');
  await hook.until(() => hook.authorizations.length > failed);
  await registry.close();
  hook.statuses = [];
  await registry.open(settings);
  await hook.until(() => hook.told.some(({ action }) => action === 'delete'));
  assert.deepEqual(hook.told.at(-1)?.target, { repository: 'some/app', tag: 'v1' });
});
