import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { argon2id, bcrypt } from 'hash-wasm';
import { codeOf, TestRegistry } from '../fixture.test.ts';
import { parseHtpasswd } from './htpasswd.ts';
import { AccessPolicy } from './policy.ts';
import { generateTokenKey, TokenSigner, TokenVerifier } from './tokens.ts';
import { TrustedKeys } from './trusted-keys.ts';

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

/** A file with alice (bcrypt) and bob (argon2id), whose passwords are their names backwards. */
async function writeLogins(path: string): Promise<void> {
  const salt = Buffer.alloc(16, 7);
  const alice = await bcrypt({ password: 'ecila', salt, costFactor: 4, outputType: 'encoded' });
  const cost = { iterations: 1, parallelism: 1, memorySize: 64, hashLength: 32 };
  const bob = await argon2id({ password: 'bob', salt, ...cost, outputType: 'encoded' });
  await writeFile(path, `# users\nalice:${alice}\nbob:${bob}\n`);
}

async function startWithLogins(auth: Record<string, unknown>): Promise<TestRegistry> {
  const registry = await TestRegistry.start();
  await registry.close();
  const htpasswd = join(registry.data, 'htpasswd');
  await writeLogins(htpasswd);
  await registry.open({ auth: { htpasswd, ...auth } });
  return registry;
}

describe('a registry with logins', () => {
  let registry: TestRegistry;
  before(async () => {
    registry = await startWithLogins({
      rules: [
        { users: ['alice'], repository: '*', actions: ['pull', 'push', 'delete'] },
        { users: ['*'], repository: 'public/*', actions: ['pull'] },
      ],
    });
  });
  after(() => registry[Symbol.asyncDispose]());

  it('asks for a login everywhere, also at /v2/ and for the metrics', async () => {
    for (const path of ['/v2/', '/v2/_catalog', '/v2/some/app/tags/list', '/metrics']) {
      const answer = await registry.send('GET', path);
      assert.deepEqual([answer.status, codeOf(answer)], [401, 'UNAUTHORIZED'], path);
      assert.match(answer.headers.get('www-authenticate') ?? '', /^Basic realm="/);
    }
  });

  it('takes bcrypt and argon2 passwords and refuses wrong ones and unknown users', async () => {
    assert.equal((await registry.send('GET', '/v2/', { headers: basic('alice', 'ecila') })).status, 200);
    assert.equal((await registry.send('GET', '/v2/', { headers: basic('bob', 'bob') })).status, 200);
    const wrong = [basic('alice', 'bob'), basic('carol', 'x'), basic('alice', ''), { authorization: 'Basic !' }];
    for (const headers of wrong) {
      const answer = await registry.send('GET', '/v2/', { headers });
      assert.deepEqual([answer.status, codeOf(answer)], [401, 'UNAUTHORIZED']);
    }
  });

  it('gives each user what the rules say and no more', async () => {
    await registry.pushBlob('public/app', 'seen', basic('alice', 'ecila'));
    const post = (repository: string) =>
      registry.send('POST', `/v2/${repository}/blobs/uploads/`, { headers: basic('bob', 'bob') });
    assert.equal((await post('public/app')).status, 403);
    const list = (repository: string) =>
      registry.send('GET', `/v2/${repository}/tags/list`, { headers: basic('bob', 'bob') });
    assert.equal((await list('public/app')).status, 200);
    assert.equal((await list('publicity/app')).status, 403);
    assert.equal((await registry.send('GET', '/v2/_catalog', { headers: basic('bob', 'bob') })).status, 403);
    assert.equal((await registry.send('GET', '/v2/_catalog', { headers: basic('alice', 'ecila') })).status, 200);
  });

  it('does not mount from a repository that the user may not pull', async () => {
    const secret = await registry.pushBlob('secret/app', 'secret', basic('alice', 'ecila'));
    assert.equal(
      (await registry.send('GET', `/v2/public/app/blobs/${secret.digest}`, { headers: basic('bob', 'bob') })).status,
      404,
    );
  });

  it('reads the file again when it changes', async () => {
    const path = join(registry.data, 'htpasswd');
    const salt = Buffer.alloc(16, 9);
    const dave = await bcrypt({ password: 'new', salt, costFactor: 4, outputType: 'encoded' });
    await writeFile(path, `dave:${dave}\n`);
    assert.equal((await registry.send('GET', '/v2/', { headers: basic('dave', 'new') })).status, 200);
    assert.equal((await registry.send('GET', '/v2/', { headers: basic('alice', 'ecila') })).status, 401);
    await writeLogins(path);
  });
});

describe('a registry with tokens and anonymous reading', () => {
  let registry: TestRegistry;
  before(async () => {
    registry = await startWithLogins({ anonymousRead: true });
    await registry.pushImage('some/app', 'v1').catch(() => undefined);
  });
  after(() => registry[Symbol.asyncDispose]());

  const token = async (scope: string, headers: Record<string, string> = {}) => {
    const answer = await registry.send('GET', `/auth/token?service=berth-registry&scope=${scope}`, { headers });
    assert.equal(answer.status, 200, answer.text);
    return { authorization: `Bearer ${(JSON.parse(answer.text) as { token: string }).token}` };
  };

  it('leads clients to its token service with the scope they need', async () => {
    const answer = await registry.send('POST', '/v2/some/app/blobs/uploads/');
    assert.equal(answer.status, 401);
    assert.equal(
      answer.headers.get('www-authenticate'),
      `Bearer realm="http://${registry.host}/auth/token",service="berth-registry",scope="repository:some/app:pull,push"`,
    );
  });

  it('lets users push, and everybody pull, with tokens', async () => {
    const alice = await token('repository:some/app:pull,push', basic('alice', 'ecila'));
    const { digest } = await registry.pushBlob('some/app', 'for everybody', alice);
    const anonymous = await token('repository:some/app:pull,push');
    assert.equal((await registry.send('GET', `/v2/some/app/blobs/${digest}`, { headers: anonymous })).status, 200);
    const refused = await registry.send('POST', '/v2/some/app/blobs/uploads/', { headers: anonymous });
    assert.equal(refused.status, 401);
    const other = await registry.send('POST', '/v2/other/app/blobs/uploads/', { headers: alice });
    assert.equal(other.status, 401);
    assert.match(other.headers.get('www-authenticate') ?? '', /error="insufficient_scope"/);
  });

  it('gives refresh tokens that are good for tokens only, until the password changes', async () => {
    const path = `/auth/token?service=berth-registry&offline_token=true`;
    const login = await registry.send('GET', path, { headers: basic('alice', 'ecila') });
    const { refresh_token: refresh } = JSON.parse(login.text) as { refresh_token: string };
    const form = (value: string) =>
      registry.send('POST', '/auth/token', {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          service: 'berth-registry',
          refresh_token: value,
          scope: 'repository:some/app:pull,push',
        }).toString(),
      });
    const renewed = await form(refresh);
    assert.equal(renewed.status, 200);
    const { access_token: access } = JSON.parse(renewed.text) as { access_token: string };
    const headers = { authorization: `Bearer ${access}` };
    assert.equal((await registry.send('POST', '/v2/some/app/blobs/uploads/', { headers })).status, 202);
    const misused = { authorization: `Bearer ${refresh}` };
    assert.equal((await registry.send('GET', '/v2/', { headers: misused })).status, 401);
    assert.equal((await form(access)).status, 401);
  });

  it('refuses wrong logins and other services at the token service', async () => {
    const path = '/auth/token?service=berth-registry';
    assert.equal((await registry.send('GET', path, { headers: basic('alice', 'x') })).status, 401);
    assert.equal((await registry.send('GET', '/auth/token?service=other')).status, 403);
    assert.equal((await registry.send('POST', '/auth/token', { body: 'grant_type=magic' })).status, 401);
  });

  it('refuses forged, foreign and misshapen tokens', async () => {
    const terms = { issuer: 'berth-registry', service: 'berth-registry' };
    const scopes = [{ type: 'repository' as const, name: 'some/app', actions: ['pull', 'push'] }];
    const forged = new TokenSigner(generateTokenKey(), terms).sign({ user: 'alice', scopes }, 300);
    const good = (await token('repository:some/app:pull', basic('alice', 'ecila'))).authorization.slice(
      'Bearer '.length,
    );
    const [head = '', body = '', signature = ''] = good.split('.');
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    const more = Buffer.from(body, 'base64url').toString().replace('"pull"', '"pull","push"');
    const altered = `${head}.${Buffer.from(more).toString('base64url')}.${signature}`;
    for (const text of [
      forged,
      `${none}.${body}.`,
      `${none}.${body}.${signature}`,
      altered,
      'x',
      'a.b.c',
      `${good}.x`,
    ]) {
      const answer = await registry.send('GET', '/v2/', { headers: { authorization: `Bearer ${text}` } });
      assert.equal(answer.status, 401, text);
    }
  });
});

describe('tokens', () => {
  it('end with their time, and are for one service of one issuer', () => {
    const key = generateTokenKey();
    const terms = { issuer: 'us', service: 'here' };
    const signer = new TokenSigner(key, terms);
    const verifier = (other: Partial<typeof terms>) =>
      new TokenVerifier({ ...terms, ...other }, new TrustedKeys([{ key: signer.publicKey }]));
    const token = signer.sign({ user: 'alice', scopes: [] }, 300);
    assert.equal(verifier({}).verify(token).user, 'alice');
    assert.throws(() => verifier({ issuer: 'them' }).verify(token), /another issuer/);
    assert.throws(() => verifier({ service: 'there' }).verify(token), /another service/);
    assert.throws(() => verifier({}).verify(signer.sign({ user: 'a', scopes: [] }, -120)), /expired/);
  });
});

describe('htpasswd files', () => {
  it('name the line that has no strong hash', () => {
    for (const line of [
      'carol:plain',
      'carol:{SHA}0DPiKuNIrrVmD8IUCuw1hQxNqZc=',
      'carol',
      ':x',
      'c:$argon2id$v=19$m=9999999,t=1,p=1$a$b',
    ]) {
      assert.throws(() => parseHtpasswd(`# one\n${line}\n`, '/f'), /\/f, line 2: want USER:HASH/);
    }
  });
});

describe('access rules', () => {
  it('give nothing to those that no rule names', () => {
    const policy = new AccessPolicy({
      rules: [{ users: ['ci'], repository: 'team/app', actions: ['pull', 'push'] }],
      anonymousRead: false,
    });
    const scope = (name: string, ...actions: string[]) => ({ type: 'repository' as const, name, actions });
    assert.deepEqual(policy.allowed('ci', scope('team/app', '*')), ['pull', 'push']);
    assert.deepEqual(policy.allowed('ci', scope('team/app2', 'pull')), []);
    assert.deepEqual(policy.allowed('other', scope('team/app', 'pull')), []);
    assert.equal(policy.may(undefined, scope('team/app', 'pull')), false);
    assert.equal(policy.may('ci', { type: 'registry', name: 'catalog', actions: ['*'] }), false);
  });
});
