import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bcrypt } from 'hash-wasm';
import { Docker, importBusybox, ServedRegistry, TestDaemon } from '#testkit';

const berth = fileURLToPath(new URL('../../../bin/berth', import.meta.url));
/** A helper (docker-credential-helpers protocol) that keeps what it is given in a directory, a file for each server. */
const helper = `#!/bin/sh
set -eu
cd "$0.d"
echo "$1" >> calls
if [ "$1" = store ]; then
  input=$(cat)
  server=$(printf %s "$input" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/')
  printf %s "$input" > "$(printf %s "$server" | tr / _)"
else
  read -r server || [ -n "$server" ]
  file=$(printf %s "$server" | tr / _)
  if [ ! -f "$file" ]; then echo 'credentials not found in native keychain'; exit 1; fi
  if [ "$1" = get ]; then cat "$file"; else rm "$file"; fi
fi
`;

describe('logins that a credential helper keeps', () => {
  let directory: string;
  let daemon: TestDaemon;
  let cli: Docker;
  let docker: Docker;
  const registries: Record<string, ServedRegistry> = {};
  const at = (kind: string) => registries[kind]?.host ?? '';

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'berth-helpers-'));
    for (const name of ['one', 'two']) {
      writeFileSync(join(directory, `docker-credential-${name}`), helper, { mode: 0o755 });
      mkdirSync(join(directory, `docker-credential-${name}.d`));
    }
    const hash = await bcrypt({ password: 'secret', salt: randomBytes(16), costFactor: 5, outputType: 'encoded' });
    writeFileSync(join(directory, 'users'), `ann:${hash}\n`);
    for (const [kind, tokens] of Object.entries({ passwords: false, tokens: true })) {
      registries[kind] = await ServedRegistry.start({ auth: { htpasswd: join(directory, 'users'), tokens } });
    }
    daemon = await TestDaemon.start();
    importBusybox(daemon.socket);
    const env = {
      ...process.env,
      DOCKER_CONFIG: join(directory, 'config'),
      PATH: `${directory}${delimiter}${process.env.PATH}`,
    };
    cli = new Docker(daemon.host, berth, env);
    docker = new Docker(daemon.host, undefined, env);
  });
  afterEach(() => {
    for (const name of ['one', 'two']) {
      rmSync(join(directory, `docker-credential-${name}.d`), { recursive: true });
      mkdirSync(join(directory, `docker-credential-${name}.d`));
    }
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    for (const registry of Object.values(registries)) await registry[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const configure = (settings: unknown) => {
    mkdirSync(join(directory, 'config'), { recursive: true });
    writeFileSync(join(directory, 'config/config.json'), JSON.stringify(settings));
  };
  const configured = (): unknown => JSON.parse(readFileSync(join(directory, 'config/config.json'), 'utf8'));
  /** What a helper keeps for a server. */
  const kept = (name: string, server: string): unknown => {
    const file = join(directory, `docker-credential-${name}.d`, server);
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  };
  async function login(host: string): Promise<void> {
    const { code, stderr } = await cli.try(['login', '-u', 'ann', '--password-stdin', host], { input: 'secret' });
    assert.equal(code, 0, stderr);
  }
  async function pushAndPull(host: string): Promise<void> {
    const name = `${host}/team/app:1`;
    await cli.run('tag', 'busybox', name);
    await cli.run('push', name);
    await cli.run('rmi', name);
    await cli.run('pull', name);
    // Both clients read the same configuration.
    await docker.run('pull', name);
  }

  test('credsStore keeps the password, serves push and pull, and forgets it at logout', async () => {
    configure({ credsStore: 'one' });
    const host = at('passwords');
    await login(host);
    assert.deepEqual(kept('one', host), { ServerURL: host, Username: 'ann', Secret: 'secret' });
    assert.deepEqual(configured(), { credsStore: 'one' });
    await pushAndPull(host);
    await cli.run('logout', host);
    assert.equal(kept('one', host), undefined);
    const refused = await cli.try(['pull', `${host}/team/app:1`]);
    assert.match(refused.stderr, /no basic auth credentials/);
  });

  test('a registry that gives tokens has its identity token kept, not the password', async () => {
    configure({ credsStore: 'one' });
    const host = at('tokens');
    await login(host);
    const { Username, Secret } = kept('one', host) as { Username: string; Secret: string };
    assert.equal(Username, '<token>');
    assert.notEqual(Secret, 'secret');
    await pushAndPull(host);
  });

  test('credHelpers chooses another helper for one registry', async () => {
    const [special, common] = [at('passwords'), at('tokens')];
    configure({ credsStore: 'one', credHelpers: { [special]: 'two' } });
    await login(special);
    await login(common);
    assert.equal(kept('one', special), undefined);
    assert.notEqual(kept('two', special), undefined);
    assert.notEqual(kept('one', common), undefined);
    await pushAndPull(special);
    await cli.run('logout', special);
    assert.equal(kept('two', special), undefined);
  });

  test('a helper that is not there or fails is named', async () => {
    const pull = ['pull', `${at('passwords')}/team/app:1`];
    configure({ credsStore: 'missing' });
    assert.match((await cli.try(pull)).stderr, /error getting credentials - err: .*docker-credential-missing/);
    writeFileSync(join(directory, 'docker-credential-broken'), '#!/bin/sh\necho the keychain is locked\nexit 3\n', {
      mode: 0o755,
    });
    configure({ credsStore: 'broken' });
    assert.match((await cli.try(pull)).stderr, /exit status 3, out: `the keychain is locked`/);
  });
});
