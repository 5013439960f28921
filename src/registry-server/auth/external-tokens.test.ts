import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { constants, createPrivateKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { digestOf, isBerthError, silentLogger } from '#base';
import { mediaTypes } from '#oci';
import { createRegistryClient } from '#registry-client';
import { openRegistry, parseConfig } from '#registry-server';
import { TestRegistry } from '../fixture.test.ts';

const run = promisify(execFile);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signs as the token service of somebody else does: RS256 here. */
function makeToken(key: KeyObject, header: Record<string, unknown>, claims: Record<string, unknown>): string {
  const data = `${encode({ typ: 'JWT', alg: 'RS256', ...header })}.${encode(claims)}`;
  return `${data}.${sign('sha256', Buffer.from(data), key).toString('base64url')}`;
}

/** A token service that knows carol, and lets everybody else pull. */
class TokenService implements AsyncDisposable {
  readonly #server: Server;
  /** Addresses that it was asked for tokens at. */
  readonly asked: string[] = [];
  readonly claims = (sub: string, access: unknown[]) => {
    const now = Math.floor(Date.now() / 1000);
    return { iss: 'elsewhere', sub, aud: 'the-registry', exp: now + 60, nbf: now - 5, iat: now, jti: 'x', access };
  };

  constructor(issue: (claims: Record<string, unknown>) => string) {
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://x');
      const [user, password] = Buffer.from(request.headers.authorization?.slice(6) ?? '', 'base64')
        .toString()
        .split(':');
      const known = user === 'carol' && password === 'secret';
      if (request.headers.authorization !== undefined && !known) {
        response.writeHead(401).end();
        return;
      }
      this.asked.push(request.url ?? '');
      const access = url.searchParams.getAll('scope').map((scope) => {
        const [type, name, actions = ''] = scope.split(':');
        return { type, name, actions: actions.split(',').filter((action) => known || action === 'pull') };
      });
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ token: issue(this.claims(known ? 'carol' : '', access)), expires_in: 60 }));
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe('a registry whose tokens come from a service elsewhere', () => {
  let work: string;
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const path = (name: string) => join(work, name);
  before(async () => {
    work = await mkdtemp(join(tmpdir(), 'registry-server-'));
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey;
    const keys = [
      { ...other.export({ format: 'jwk' }), kid: 'old', use: 'sig' },
      { ...publicKey.export({ format: 'jwk' }), kid: 'now', alg: 'RS256' },
      { kty: 'oct', k: 'c2VjcmV0', kid: 'shared' },
    ];
    await writeFile(path('jwks.json'), JSON.stringify({ keys }));
    await makeCertificates(work);
  });
  after(() => rm(work, { recursive: true, force: true }));

  /** Runs `use` with a registry whose token service signs with `issue`. */
  async function withService(
    token: Record<string, unknown>,
    issue: (claims: Record<string, unknown>) => string,
    use: (registry: TestRegistry, service: TokenService) => Promise<void>,
  ) {
    await using service = new TokenService(issue);
    const realm = await service.start();
    const auth = { service: 'the-registry', token: { realm, issuer: 'elsewhere', ...token } };
    await using registry = await TestRegistry.start({ auth });
    await use(registry, service);
  }

  async function pushAndPull(registry: TestRegistry): Promise<void> {
    const client = createRegistryClient({ attempts: 1 });
    try {
      const name = { domain: registry.host, path: 'team/app' };
      const carol = client.repository(name, { username: 'carol', password: 'secret' });
      const config = Buffer.from('{}');
      const descriptor = { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length };
      await carol.pushBlob(descriptor, async () => Readable.from([config]));
      const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: descriptor, layers: [] };
      const bytes = Buffer.from(JSON.stringify(manifest));
      await carol.pushManifest('v1', mediaTypes.ociManifest, bytes);
      const anonymous = client.repository(name);
      assert.deepEqual((await anonymous.manifest('v1')).bytes, bytes);
      const refused = anonymous.pushManifest('v2', mediaTypes.ociManifest, bytes);
      await assert.rejects(refused, (error) => isBerthError(error, 'unauthorized') || isBerthError(error, 'forbidden'));
      const wrong = client.repository(name, { username: 'carol', password: 'wrong' });
      await assert.rejects(wrong.manifest('v1'), (error) => isBerthError(error, 'unauthorized'));
    } finally {
      client.close();
    }
  }

  it('takes tokens signed by a key of a key set, and sends clients to the service with their scope', async () => {
    const issue = (claims: Record<string, unknown>) => makeToken(privateKey, { kid: 'now' }, claims);
    await withService({ jwks: path('jwks.json') }, issue, async (registry, service) => {
      const challenge = (await registry.send('GET', '/v2/team/app/manifests/v1')).headers.get('www-authenticate') ?? '';
      assert.match(
        challenge,
        /^Bearer realm="http:.*\/token",service="the-registry",scope="repository:team\/app:pull"$/,
      );
      await pushAndPull(registry);
      assert.ok(service.asked.some((url) => /service=the-registry/.test(url) && /pull%2Cpush|pull,push/.test(url)));
    });
  });

  it('takes tokens that bring certificates issued by an authority of the bundle', async () => {
    const der = async (name: string) => new X509Certificate(await readFile(path(`${name}.pem`))).raw.toString('base64');
    const leaf = createPrivateKey(await readFile(path('leaf.key')));
    const x5c = [await der('leaf'), await der('middle')];
    const issue = (claims: Record<string, unknown>) => makeToken(leaf, { x5c }, claims);
    await withService({ rootCertBundle: path('root.pem') }, issue, async (registry, service) => {
      await pushAndPull(registry);
      const claims = service.claims('carol', []);
      const answer = async (token: string) =>
        (await registry.send('GET', '/v2/', { headers: { authorization: `Bearer ${token}` } })).status;
      assert.equal(await answer(issue(claims)), 200);
      const strange = createPrivateKey(await readFile(path('strange.key')));
      const forged = createPrivateKey(await readFile(path('forged.key')));
      for (const [why, token] of Object.entries({
        'no chain': makeToken(leaf, {}, claims),
        'a gap in the chain': makeToken(leaf, { x5c: x5c.slice(0, 1) }, claims),
        'another authority': makeToken(strange, { x5c: [await der('strange')] }, claims),
        'an end certificate that issued another': makeToken(forged, { x5c: [await der('forged'), ...x5c] }, claims),
        'no certificates': makeToken(leaf, { x5c: ['x', ''] }, claims),
        'the certificates of somebody else': makeToken(strange, { x5c }, claims),
        'an unknown critical header': makeToken(leaf, { x5c, crit: ['b64'] }, claims),
        'a header that names another algorithm': makeToken(leaf, { x5c, alg: 'PS256' }, claims),
        'a shared secret': makeToken(leaf, { x5c, alg: 'HS256' }, claims),
      })) {
        assert.equal(await answer(token), 401, why);
      }
    });
  });

  it('takes tokens signed by the key of a certificate of the bundle itself', async () => {
    const root = createPrivateKey(await readFile(path('root.key')));
    const issue = (claims: Record<string, unknown>) => makeToken(root, { kid: 'ABCD:EFGH' }, claims);
    await withService({ rootCertBundle: path('root.pem') }, issue, pushAndPull);
  });

  it('takes all the usual signatures', async () => {
    const pair = (curve: string) => generateKeyPairSync('ec', { namedCurve: curve });
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    const ec = { dsaEncoding: 'ieee-p1363' } as const;
    const ways = {
      RS512: { keys: { privateKey, publicKey }, hash: 'sha512', settings: {} },
      PS256: { keys: { privateKey, publicKey }, hash: 'sha256', settings: pss },
      ES256: { keys: pair('P-256'), hash: 'sha256', settings: ec },
      ES384: { keys: pair('P-384'), hash: 'sha384', settings: ec },
      ES512: { keys: pair('P-521'), hash: 'sha512', settings: ec },
      EdDSA: { keys: generateKeyPairSync('ed25519'), hash: undefined, settings: {} },
    };
    const set = Object.values(ways).map(({ keys }) => keys.publicKey.export({ format: 'jwk' }));
    await writeFile(path('many.json'), JSON.stringify({ keys: set }));
    await withService(
      { jwks: path('many.json') },
      () => '',
      async (registry, service) => {
        for (const [alg, { keys, hash, settings }] of Object.entries(ways)) {
          const data = `${encode({ alg })}.${encode(service.claims('carol', []))}`;
          const signature = sign(hash, Buffer.from(data), { key: keys.privateKey, ...settings });
          const headers = { authorization: `Bearer ${data}.${signature.toString('base64url')}` };
          assert.equal((await registry.send('GET', '/v2/', { headers })).status, 200, alg);
        }
      },
    );
  });

  it('does not start without a key that it could verify with', async () => {
    await writeFile(path('empty'), '');
    await writeFile(path('secret.json'), '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}');
    const faults: [Record<string, unknown>, RegExp][] = [
      [{}, /auth\.token needs keys, rootCertBundle or jwks/],
      [{ rootCertBundle: path('empty') }, /rootCertBundle: the file holds no PEM certificate/],
      [{ jwks: path('empty') }, /auth\.token\.jwks/],
      [{ jwks: path('secret.json') }, /no public key that signs/],
      [{ keys: [path('jwks.json')] }, /no PEM public key/],
      [{ jwks: path('missing') }, /missing/],
    ];
    for (const [token, message] of faults) {
      const auth = { token: { realm: 'http://127.0.0.1/token', issuer: 'elsewhere', ...token } };
      const opened = openRegistry(path('data'), parseConfig({ auth }, 'test'), { logger: silentLogger });
      await assert.rejects(opened, (error) => isBerthError(error, 'invalid') && message.test(error.message));
    }
  });
});

/** A root, an authority below it, a certificate of that, one of nobody's, and one that an end certificate issued. */
async function makeCertificates(work: string): Promise<void> {
  const openssl = (...args: string[]) => run('openssl', args, { cwd: work });
  const make = (name: string, authority: boolean, issuer?: string) =>
    openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`],
      ...['-keyout', `${name}.key`, '-out', `${name}.pem`],
      ...['-addext', `basicConstraints=critical,CA:${authority ? 'TRUE' : 'FALSE'}`],
      ...(issuer === undefined ? [] : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`]),
    );
  await make('root', true);
  await make('middle', true, 'root');
  await make('leaf', false, 'middle');
  await make('strange', false);
  await make('forged', false, 'leaf');
}
