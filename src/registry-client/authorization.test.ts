import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { isBerthError } from '#base';
import { FakeRegistry, failRequest } from '#testkit';
import { CertificateStore } from './certificates.ts';
import { parseChallenge } from './challenge.ts';
import { HostList } from './host-rules.ts';
import { createRegistryClient } from './http-registry-client.ts';
import { ProxyRules } from './proxy-rules.ts';
import { Transport } from './transport.ts';

const client = createRegistryClient({ backoff: 1, environment: {}, certificateDirectories: [] });
after(() => client.close());
const basic = `Basic ${Buffer.from('user:secret').toString('base64')}`;

/** A registry that wants bearer tokens from itself; hands out `good`. */
async function tokenRegistry(): Promise<{ registry: FakeRegistry; asked: URLSearchParams[] }> {
  const registry = await new FakeRegistry().start();
  const asked: URLSearchParams[] = [];
  registry.intercept = async (request, response, url) => {
    if (url.pathname === '/token') {
      const form =
        request.method === 'POST' ? new URLSearchParams((await buffer(request)).toString()) : url.searchParams;
      asked.push(form);
      const isKnown = form.get('refresh_token') === 'identity' || request.headers.authorization === basic;
      if (!isKnown) failRequest(response, 401, 'UNAUTHORIZED', 'incorrect username or password');
      else response.end(JSON.stringify({ token: 'good', refresh_token: 'identity', expires_in: 300 }));
      return true;
    }
    if (request.headers.authorization === 'Bearer good') return false;
    const realm = `Bearer realm="http://${registry.host}/token",service="registry, with comma"`;
    response.writeHead(401, { 'www-authenticate': realm }).end();
    return true;
  };
  return { registry, asked };
}

test('bearer tokens are fetched for the scope of each use, once', async () => {
  const { registry, asked } = await tokenRegistry();
  await using _ = registry;
  registry.addManifest('team/app', 'v1', '{}');
  const login = { username: 'user', password: 'secret' };
  const repository = client.repository({ domain: registry.host, path: 'team/app' }, login);
  await repository.resolve('v1');
  await repository.manifest('v1');
  await repository.pushManifest('v2', 'application/x', Buffer.from('{}'));
  assert.deepEqual(
    asked.map((form) => form.get('scope')),
    ['repository:team/app:pull', 'repository:team/app:pull,push'],
  );
  assert.equal(asked[0]?.get('service'), 'registry, with comma');
  assert.equal(asked[0]?.get('account'), 'user');
});

test('an identity token is exchanged by POST, and a registry token is sent as it is', async () => {
  const { registry, asked } = await tokenRegistry();
  await using _ = registry;
  registry.addManifest('team/app', 'v1', '{}');
  const name = { domain: registry.host, path: 'team/app' };
  await client.repository(name, { identityToken: 'identity' }).resolve('v1');
  assert.equal(asked[0]?.get('grant_type'), 'refresh_token');
  await client.repository(name, { registryToken: 'good' }).resolve('v1');
  assert.equal(asked.length, 1);
});

test('wrong and missing logins are unauthorized; login gives the refresh token', async () => {
  const { registry } = await tokenRegistry();
  await using _ = registry;
  const wrong = { username: 'user', password: 'wrong' };
  const isRefused = (error: unknown) => isBerthError(error, 'unauthorized') && /incorrect username/.test(error.message);
  await assert.rejects(client.login(registry.host, wrong), isRefused);
  await assert.rejects(client.repository({ domain: registry.host, path: 'a/b' }).resolve('x'), isRefused);
  const right = { username: 'user', password: 'secret' };
  assert.deepEqual(await client.login(registry.host, right), { identityToken: 'identity' });
});

test('basic logins are sent where asked for, and their lack is told', async () => {
  await using registry = await new FakeRegistry().start();
  registry.addManifest('a/b', 'x', '{}');
  registry.intercept = (request, response) => {
    if (request.headers.authorization === basic) return false;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="here"' }).end();
    return true;
  };
  const name = { domain: registry.host, path: 'a/b' };
  await client.repository(name, { username: 'user', password: 'secret' }).resolve('x');
  await assert.rejects(client.repository(name).resolve('x'), {
    kind: 'unauthorized',
    message: `Head "http://${registry.host}/v2/a/b/manifests/x": no basic auth credentials`,
  });
  await assert.rejects(client.login(registry.host, { username: 'user', password: 'no' }), {
    message: `login attempt to http://${registry.host}/v2/ failed with status: 401 Unauthorized`,
  });
});

test('a redirect to another host is followed without the login', async () => {
  await using registry = await new FakeRegistry().start();
  await using storage = await new FakeRegistry().start();
  const descriptor = storage.addBlob('a/b', Buffer.from('content'));
  registry.intercept = (request, response) => {
    if (request.headers.authorization !== basic) response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
    else if (!request.url?.includes('/blobs/')) return false;
    else response.writeHead(307, { location: `http://${storage.host}${request.url}` }).end();
    return true;
  };
  const login = { username: 'user', password: 'secret' };
  const repository = client.repository({ domain: registry.host, path: 'a/b' }, login);
  assert.equal((await buffer(await repository.openBlob(descriptor))).toString(), 'content');
  assert.deepEqual(storage.authorizations, [undefined]);
  storage.intercept = (_request, response) => {
    response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    return true;
  };
  await assert.rejects(repository.openBlob(descriptor), /no web address/);
});

test('a login is not sent to a token server without TLS elsewhere', async () => {
  await using registry = await new FakeRegistry().start();
  const remote = createRegistryClient({ environment: {} });
  registry.intercept = (_request, response) => {
    response.writeHead(401, { 'www-authenticate': 'Bearer realm="ftp://192.0.2.1/token"' }).end();
    return true;
  };
  const repository = remote.repository({ domain: registry.host, path: 'a/b' }, { username: 'u', password: 'p' });
  await assert.rejects(repository.resolve('x'), /a login is not sent there/);
  remote.close();
});

test('a private authority and a client certificate are found by host; unknown authorities are refused', async () => {
  const directory = mkdtempSync(`${tmpdir()}/registry-client-test-`);
  try {
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
    const subject = ['-nodes', '-days', '2', '-newkey', 'rsa:2048', '-subj', '/CN=test'];
    openssl(
      'req',
      '-x509',
      ...subject,
      '-addext',
      'subjectAltName=IP:127.0.0.1,DNS:localhost',
      '-keyout',
      's.key',
      '-out',
      's.crt',
    );
    const pem = readFileSync(`${directory}/s.crt`);
    const key = readFileSync(`${directory}/s.key`);
    await using registry = await new FakeRegistry({ cert: pem, key, ca: pem, requestCert: true }).start();
    registry.addManifest('a/b', 'x', '{}');
    const shown: boolean[] = [];
    registry.intercept = (request) => {
      shown.push(Reflect.get(request.socket, 'authorized') === true);
      return false;
    };
    mkdirSync(`${directory}/${registry.host}`);
    for (const [from, to] of [
      ['s.crt', 'ca.crt'],
      ['s.crt', 'client.cert'],
      ['s.key', 'client.key'],
    ]) {
      execFileSync('cp', [`${directory}/${from}`, `${directory}/${registry.host}/${to}`]);
    }
    const send = async (directories: string[]) => {
      const certificates = new CertificateStore(directories);
      const options = { userAgent: 'test', stallTimeout: 5000, proxies: new ProxyRules({}), certificates };
      const transport = new Transport(options);
      const url = new URL(`https://${registry.host}/v2/a/b/manifests/x`);
      const response = await transport.send({ method: 'GET', url, headers: {} }, { insecure: false });
      assert.equal((await buffer(response.body)).toString(), '{}');
      transport.close();
    };
    await send([directory]);
    assert.deepEqual(shown, [true]);
    await assert.rejects(send([]), /certificate signed by unknown authority/);
    rmSync(`${directory}/${registry.host}/client.key`);
    await assert.rejects(send([directory]), /missing key/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('requests go through the proxy of the environment', async () => {
  await using registry = await new FakeRegistry().start();
  registry.addManifest('a/b', 'x', '{}');
  const seen: string[] = [];
  const sockets: Socket[] = [];
  const proxy = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers['proxy-authorization']}`);
    const { pathname } = new URL(request.url ?? '');
    if (pathname === '/v2/') response.end('{}');
    else failRequest(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
  });
  proxy.on('connect', (request, socket: Socket) => {
    seen.push(`CONNECT ${request.url}`);
    const upstream = connect(registry.port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    sockets.push(socket, upstream);
    socket.pipe(upstream).pipe(socket);
    for (const end of [socket, upstream]) end.on('error', () => {});
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  const url = `http://name:word@127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const proxied = createRegistryClient({
    environment: { HTTP_PROXY: url, https_proxy: url, NO_PROXY: 'direct.invalid' },
    insecureRegistries: ['registry.invalid'],
    backoff: 1,
  });
  const repository = proxied.repository({ domain: 'registry.invalid', path: 'a/b' });
  await assert.rejects(repository.resolve('x'), (error) => isBerthError(error, 'not-found'));
  assert.equal(seen[0], 'CONNECT registry.invalid:443');
  assert.equal(seen[1], `GET http://registry.invalid/v2/ Basic ${Buffer.from('name:word').toString('base64')}`);
  await assert.rejects(proxied.repository({ domain: 'direct.invalid', path: 'a/b' }).resolve('x'), /no such host/);
  proxied.close();
  for (const socket of sockets) socket.destroy();
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
});

test('parseChallenge reads quoted values and prefers bearer', () => {
  assert.deepEqual(parseChallenge(['Basic realm="x"', 'Bearer realm="https://a/t",service=s']), {
    scheme: 'bearer',
    realm: 'https://a/t',
    service: 's',
  });
  assert.deepEqual(parseChallenge(['Negotiate', 'bearer service="no realm"']), { scheme: 'none' });
});

test('HostList and ProxyRules know names, ports, domains and ranges', () => {
  const list = new HostList(['10.0.0.0/8', 'reg.local:5000', 'fd00::/8', 'plain']);
  for (const host of ['10.1.2.3:5000', 'REG.local:5000', '[fd00::1]:80', 'plain:99']) assert.ok(list.has(host), host);
  for (const host of ['11.0.0.1', 'reg.local', '[fe80::1]', 'sub.plain']) assert.ok(!list.has(host), host);
  const rules = new ProxyRules({ HTTPS_PROXY: 'proxy:3128', NO_PROXY: 'corp.example,.dot.example, 192.0.2.0/24' });
  assert.equal(rules.proxyFor(new URL('https://a.example/'))?.href, 'http://proxy:3128/');
  for (const url of [
    'https://x.corp.example',
    'https://y.dot.example',
    'https://192.0.2.9',
    'https://localhost:1',
    'http://z',
  ]) {
    assert.equal(rules.proxyFor(new URL(url)), undefined, url);
  }
});
