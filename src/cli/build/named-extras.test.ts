import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findExtras } from './build-extras.ts';
import { readContextFlag } from './context-flag.ts';
import { readSecretFlag } from './secret-flag.ts';
import { readSshFlag } from './ssh-flag.ts';

const env = { TOKEN: 'sesame' };

function temporary(t: TestContext, files: Readonly<Record<string, string | Buffer>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'cli-extras-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  return directory;
}

test('a secret is a file or a variable; without either its id names one', () => {
  assert.deepEqual(readSecretFlag('id=x,src=f', env), { id: 'x', kind: 'file', path: 'f' });
  assert.deepEqual(readSecretFlag('type=file,source=f,id=x', env), { id: 'x', kind: 'file', path: 'f' });
  assert.deepEqual(readSecretFlag('id=x,env=TOKEN', env), { id: 'x', kind: 'env', variable: 'TOKEN' });
  assert.deepEqual(readSecretFlag('id=x,type=env,src=TOKEN', env), { id: 'x', kind: 'env', variable: 'TOKEN' });
  assert.deepEqual(readSecretFlag('id=TOKEN', env), { id: 'TOKEN', kind: 'env', variable: 'TOKEN' });
  assert.deepEqual(readSecretFlag('id=file', env), { id: 'file', kind: 'file', path: 'file' });
  assert.deepEqual(readSecretFlag('id=x,"src=a,b"', env), { id: 'x', kind: 'file', path: 'a,b' });
});

test('what is no secret is refused in buildx’s words', () => {
  for (const [word, message] of [
    ['foo', "invalid field 'foo' must be a key=value pair"],
    ['foo=bar', "unexpected key 'foo' in 'foo=bar'"],
    ['src=f', 'secret missing ID'],
    ['id=x,type=foo', 'unsupported secret type "foo"'],
  ] as const) {
    assert.throws(() => readSecretFlag(word, env), { kind: 'invalid', message }, word);
  }
});

const nothing = { secrets: [], agents: [], contexts: [] };

test('secrets are read when a build asks; files that are missing or too large are known before', async (t) => {
  const cwd = temporary(t, { small: 'one', large: Buffer.alloc(500 * 1024 + 1) });
  const find = (...words: string[]) =>
    findExtras({ ...nothing, secrets: words.map((word) => readSecretFlag(word, env)) }, { cwd, env });
  const { secrets } = await find('id=a,src=small', 'id=b,env=TOKEN', 'id=c,env=UNSET');
  writeFileSync(join(cwd, 'small'), 'changed');
  const values = await Promise.all(['a', 'b', 'c'].map(async (id) => String(await secrets.get(id)?.())));
  assert.deepEqual(values, ['changed', 'sesame', '']);
  await assert.rejects(find('id=x,src=none'), {
    kind: 'not-found',
    message: 'failed to stat none: stat none: no such file or directory',
  });
  await assert.rejects(find('id=x,src=large'), { message: 'secret x too big. max size 500KiB' });
  await assert.rejects(find('id=x,src=.'), { message: 'secret x: . is a directory: name a file' });
});

test('an agent is that of SSH_AUTH_SOCK or a socket; key files are told what to do', async (t) => {
  const cwd = temporary(t, { key: '-----BEGIN OPENSSH PRIVATE KEY-----\n', text: 'text' });
  const server = createServer().listen(join(cwd, 'agent'));
  await once(server, 'listening');
  t.after(() => server.close());
  const find = (words: string[], socket = '') =>
    findExtras({ ...nothing, agents: words.map(readSshFlag) }, { cwd, env: { SSH_AUTH_SOCK: socket } });
  const path = join(cwd, 'agent');
  const { agents } = await find(['default', 'other=agent'], path);
  assert.deepEqual(
    [...agents],
    [
      ['default', path],
      ['other', path],
    ],
  );
  const failures: [string[], RegExp][] = [
    [['default'], /"default": invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set$/],
    [['a=none'], /"a": stat none: no such file or directory$/],
    [['a=text'], /"a": failed to parse text: ssh: no key found$/],
    [['a=key'], /^ssh "a": key is a key file, .* \(ssh-add key\) and say --ssh a$/],
    [['a=agent,agent'], /only single socket allowed$/],
    [['a=agent', 'a=agent'], /^invalid duplicate ID a$/],
  ];
  for (const [words, message] of failures) await assert.rejects(find(words), { message }, words.join(' '));
});

test('a named context is a directory or an image; other kinds are told what to do instead', async (t) => {
  const cwd = temporary(t, { file: '' });
  mkdirSync(join(cwd, 'lib'));
  const find = (word: string) => findExtras({ ...nothing, contexts: [readContextFlag(word)] }, { cwd, env });
  assert.deepEqual([...(await find('lib=lib')).contexts], [['lib', { kind: 'directory', path: join(cwd, 'lib') }]]);
  assert.deepEqual(
    [...(await find('alpine:latest=docker-image://me/base')).contexts],
    [['alpine', { kind: 'image', reference: 'me/base:latest' }]],
  );
  const failures: [string, RegExp][] = [
    ['a=none', /^failed to get build context a: stat none: no such file or directory$/],
    ['a=', /^failed to get build context a: stat : no such file or directory$/],
    ['a=file', /^failed to get build context a: file: not a directory$/],
    ['a=docker-image://UP', /^build context a: invalid reference format/],
    ['a=oci-layout://x', /^build context a: layouts .* cannot be used: load it as an image/],
    ['a=https://example.org/r.git', /^build context a: addresses .* cannot be used: fetch it/],
  ];
  for (const [word, message] of failures) await assert.rejects(find(word), { message }, word);
  assert.throws(() => readContextFlag('a'), { message: 'invalid context value: a, expected key=value' });
  assert.throws(() => readContextFlag('UP=x'), { message: /^invalid context name UP: invalid reference format/ });
});
