import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { daemonForTests } from '#testkit';
import { type OptionCase, optionCases } from './option-cases.ts';

interface Surface {
  readonly endpoints: readonly { method: string; path: string; tag: string }[];
  readonly createOptions: Readonly<Record<string, readonly string[]>>;
}

const project = fileURLToPath(new URL('../../../', import.meta.url));
const surface = JSON.parse(readFileSync(`${project}test/conformance/api/surface.json`, 'utf8')) as Surface;
const document = `${project}docs/parity.md`;

/** Query or body that an endpoint needs to say more than "bad request". */
const inputs: Readonly<Record<string, { query?: string; body?: unknown; open?: boolean }>> = {
  'POST /containers/create': { body: { Image: 'busybox', Cmd: ['true'] } },
  'GET /containers/{id}/logs': { query: 'stdout=1' },
  'GET /containers/{id}/stats': { query: 'stream=0&one-shot=1' },
  'POST /containers/{id}/resize': { query: 'h=20&w=30' },
  'POST /containers/{id}/stop': { query: 't=0' },
  'POST /containers/{id}/restart': { query: 't=0' },
  'POST /containers/{id}/update': { body: { CpuShares: 100 } },
  'POST /containers/{id}/rename': { query: 'name=parity-renamed' },
  'POST /containers/{id}/attach': { query: 'stream=1&stdout=1', open: true },
  'GET /containers/{id}/attach/ws': { query: 'stream=1', open: true },
  'POST /containers/{id}/wait': { query: 'condition=next-exit', open: true },
  'DELETE /containers/{id}': { query: 'force=1' },
  'HEAD /containers/{id}/archive': { query: 'path=/etc' },
  'GET /containers/{id}/archive': { query: 'path=/etc/passwd' },
  'PUT /containers/{id}/archive': { query: 'path=/tmp' },
  'POST /auth': { body: { username: 'u', password: 'p', serveraddress: '127.0.0.1:1' } },
  'GET /events': { query: 'since=0&until=1' },
  'POST /containers/{id}/exec': { body: { Cmd: ['true'] } },
  'POST /exec/{id}/start': { body: { Detach: true } },
  'POST /exec/{id}/resize': { query: 'h=20&w=30' },
};

describe('parity with the API of Docker', () => {
  const { daemon } = daemonForTests();
  const endpoints: string[] = [];
  const options: string[] = [];

  before(async () => {
    const peer = { Image: 'busybox', Cmd: ['sleep', '600'], Volumes: { '/shared': {} } };
    await call('POST', '/containers/create?name=parity-peer', peer);
    await call('POST', '/containers/parity-peer/start');
  });
  after(async () => {
    if (process.env.BERTH_PARITY === 'write') writeFileSync(document, render(endpoints, options));
    // The parent cgroup that one case asks for is its user's to remove, as with Docker.
    const root = '/sys/fs/cgroup';
    const parents = ['.', ...readdirSync(root)].map((tree) => `${root}/${tree}/berth-parity`);
    for (const path of parents.filter(existsSync)) rmdirSync(path);
  });

  for (const { method, path, tag } of surface.endpoints) {
    test(`${method} ${path} answers`, async () => {
      const { query, body, open } = inputs[`${method} ${path}`] ?? {};
      const container = await running();
      const exec = await call('POST', `/containers/${container}/exec`, { Cmd: ['sleep', '1'], Tty: true });
      const id = path.startsWith('/exec') ? (JSON.parse(exec.body) as { Id: string }).Id : container;
      const url = path.replace('{id}', id) + (query ? `?${query}` : '');
      const answer = await call(method, url, body, open);
      assert.ok(answer.status !== 404 && answer.status !== 501, `${answer.status} ${answer.body}`);
      assert.ok(answer.status < 500 || path === '/auth', `${answer.status} ${answer.body}`);
      endpoints.push(`| ${tag} | ${method} | ${path} | ${answer.status} |`);
      await call('DELETE', `/containers/${container}?force=1&v=1`);
    });
  }

  for (const [part, names] of Object.entries(surface.createOptions)) {
    for (const name of names) {
      test(`${part}.${name} is in effect, or refused with a reason`, async () => {
        const proof = optionCases[part]?.[name];
        assert.ok(proof, `${part}.${name} has no case in option-cases.ts`);
        options.push(`| ${part}.${name} | ${await prove(proof)} |`);
      });
    }
  }

  test('the document names every endpoint and option', () => {
    if (process.env.BERTH_PARITY === 'write') return;
    const text = readFileSync(document, 'utf8');
    for (const { method, path } of surface.endpoints) assert.ok(text.includes(`| ${method} | ${path} |`), path);
    for (const [part, names] of Object.entries(surface.createOptions)) {
      for (const name of names) assert.ok(text.includes(`| ${part}.${name} |`), name);
    }
  });

  async function running(): Promise<string> {
    const { body } = await call('POST', '/containers/create', { Image: 'busybox', Cmd: ['sleep', '600'], Tty: true });
    const { Id } = JSON.parse(body) as { Id: string };
    await call('POST', `/containers/${Id}/start`);
    return Id;
  }

  /** What was seen, for the document. */
  async function prove(proof: OptionCase): Promise<string> {
    const command = proof.inside === undefined ? ['sleep', '600'] : ['sh', '-c', proof.inside];
    const wanted = { Image: 'busybox', Cmd: command, ...proof.config, HostConfig: proof.host ?? {} };
    const created = await call('POST', '/containers/create', wanted);
    if (created.status !== 201) return refusal(proof, created.body);
    const { Id } = JSON.parse(created.body) as { Id: string };
    try {
      const started = await call('POST', `/containers/${Id}/start`);
      if (started.status !== 204) return refusal(proof, started.body);
      assert.equal(proof.refused, undefined, 'was not refused');
      const [how, text] = proof.inspect ? [proof.inspect, await shown(Id, proof.inspect)] : ['inside', await said(Id)];
      assert.match(text, proof.expect ?? /^$/);
      const seen = (proof.expect?.exec(text)?.[0] ?? '').replace(/\s+/g, ' ').replaceAll('|', '/').trim();
      const where = how === 'inside' ? `inside, \`${proof.inside?.replaceAll('|', '\\|')}\`` : `inspect, \`${how}\``;
      return `${where}: \`${seen}\``;
    } finally {
      await call('DELETE', `/containers/${Id}?force=1&v=1`);
    }
  }

  function refusal({ refused }: OptionCase, body: string): string {
    const { message } = JSON.parse(body) as { message: string };
    assert.ok(refused, message);
    assert.match(message, refused);
    return `refused: ${message.replaceAll('|', '/').replace(/\s+/g, ' ').slice(0, 200)}`;
  }

  async function said(id: string): Promise<string> {
    await call('POST', `/containers/${id}/wait`);
    const { body } = await call('GET', `/containers/${id}/logs?stdout=1&stderr=1`);
    return unframed(Buffer.from(body, 'latin1')).replaceAll('\r', '');
  }

  async function shown(id: string, path: string): Promise<string> {
    const { body } = await call('GET', `/containers/${id}/json`);
    let value = JSON.parse(body) as unknown;
    for (const key of path.split('.')) value = (value as Record<string, unknown>)[key];
    return JSON.stringify(value) ?? '';
  }

  /** One request; with `open` only the head of an answer that has no end is waited for. */
  function call(method: string, path: string, body?: unknown, open = false): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const isWebSocket = path.includes('/attach/ws');
      const headers = {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(isWebSocket ? webSocketHeaders : {}),
      };
      const asked = request({ socketPath: daemon.socket, method, path, headers }, (response) => {
        let text = '';
        response.setEncoding('latin1');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        const done = () => resolve({ status: response.statusCode ?? 0, body: text });
        response.on('end', done);
        response.on('error', done);
        if (!open) return;
        done();
        response.destroy();
      });
      asked.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve({ status: response.statusCode ?? 0, body: '' });
      });
      asked.on('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
});

/** The text of an answer in frames of 8 bytes and content; what has none (a terminal's) is as it is. */
function unframed(data: Buffer): string {
  if (data.length < 8) return data.toString('latin1');
  let text = '';
  for (let at = 0; at + 8 <= data.length; ) {
    if ((data[at] ?? 0) > 2 || data.readUIntBE(at + 1, 3) !== 0) return data.toString('latin1');
    const end = at + 8 + data.readUInt32BE(at + 4);
    text += data.toString('latin1', at + 8, end);
    at = end;
  }
  return text;
}

const webSocketHeaders = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'cGFyaXR5LXBhcml0eS1wYQ==',
};

function render(endpoints: readonly string[], options: readonly string[]): string {
  return [
    '# Parity with the API of Docker 28 (v1.51): containers, exec and system',
    '',
    'Generated by `BERTH_PARITY=write node --test dist-test/conformance/api/` on a host with cgroup v1, and checked by the',
    'same test without the variable. Options that only other systems know (`CpuCount`, `CpuPercent`, `IOMaximum*`) are',
    'taken and have no effect, as in Docker.',
    '',
    '## Endpoints',
    '',
    '| tag | method | path | status |',
    '| --- | --- | --- | --- |',
    ...endpoints,
    '',
    '## Create options',
    '',
    '| option | evidence |',
    '| --- | --- |',
    ...options,
    '',
  ].join('\n');
}
