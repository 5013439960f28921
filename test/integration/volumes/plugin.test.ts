import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { daemonForTests } from '#testkit';

/** Where Docker looks for sockets of plugins. */
const sockets = '/run/docker/plugins';

interface Question {
  readonly Name?: string;
  readonly ID?: string;
  readonly Opts?: Readonly<Record<string, string>>;
}

/** A volume plugin: each volume is a directory; it counts who has it mounted and refuses what it is told to. */
class Plugin {
  readonly directory = mkdtempSync(join(tmpdir(), 'berth-plugin-'));
  readonly name = basename(this.directory);
  readonly options = new Map<string, Readonly<Record<string, string>>>();
  readonly users = new Map<string, string[]>();
  refuses = '';
  readonly #socket = join(sockets, `${this.name}.sock`);
  #server: Server | undefined;

  async listen(): Promise<void> {
    mkdirSync(sockets, { recursive: true });
    const server = createServer(async (request, response) => {
      const verb = request.url?.replace(/^\/(VolumeDriver\.)?/, '') ?? '';
      response.end(JSON.stringify(this.#answer(verb, (await json(request)) as Question)));
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#socket, resolve));
  }

  async close(): Promise<void> {
    const server = this.#server;
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    rmSync(this.#socket, { force: true });
  }

  #answer(verb: string, { Name = '', ID = '', Opts = {} }: Question): object {
    if (verb === this.refuses) return { Err: `${verb} is not today` };
    const directory = join(this.directory, Name);
    const users = this.users.get(Name) ?? [];
    const known = { Volume: { Name, Mountpoint: users.length > 0 ? directory : '', Status: { users: users.length } } };
    switch (verb) {
      case 'Plugin.Activate':
        return { Implements: ['VolumeDriver'] };
      case 'Capabilities':
        return { Capabilities: { Scope: 'global' } };
      case 'Create':
        mkdirSync(directory);
        this.options.set(Name, Opts);
        return { Err: '' };
      case 'Mount':
        this.users.set(Name, [...users, ID]);
        return { Mountpoint: directory, Err: '' };
      case 'Unmount':
        if (!users.includes(ID)) return { Err: `${ID} has not mounted ${Name}` };
        this.users.set(
          Name,
          users.filter((user) => user !== ID),
        );
        return { Err: '' };
      case 'Remove':
        if (users.length > 0) return { Err: 'still mounted' };
        rmSync(directory, { recursive: true });
        this.options.delete(Name);
        return { Err: '' };
      case 'List':
        return { Volumes: [...this.options.keys()].map((known) => ({ Name: known })), Err: '' };
      default:
        return this.options.has(Name) ? { ...known, Err: '' } : { Err: 'unknown volume' };
    }
  }
}

describe('volumes of a plugin', () => {
  const { daemon, docker } = daemonForTests();
  const plugin = new Plugin();

  before(async () => {
    await plugin.listen();
  });
  after(async () => {
    await plugin.close();
    rmSync(plugin.directory, { recursive: true, force: true });
  });

  test('options reach it; scope and status come from it; containers write where it says', async () => {
    await docker.run('volume', 'create', '-d', plugin.name, '-o', 'replicas=2', 'far');
    assert.deepEqual(plugin.options.get('far'), { replicas: '2' });
    assert.equal(await docker.run('volume', 'inspect', '-f', '{{.Scope}} {{.Status.users}}', 'far'), 'global 0');
    await docker.run('run', '--rm', '-v', 'far:/v', 'busybox', 'sh', '-c', 'echo hello > /v/f');
    assert.equal(readFileSync(join(plugin.directory, 'far/f'), 'utf8'), 'hello\n');
    assert.deepEqual(plugin.users.get('far'), []);
    const mount = `type=volume,src=implied,dst=/bin,volume-driver=${plugin.name},volume-opt=a=b`;
    assert.match(await docker.run('run', '--rm', '--mount', mount, 'busybox', 'ls', '/bin'), /busybox/);
    assert.deepEqual(plugin.options.get('implied'), { a: 'b' });
    await docker.run('volume', 'rm', 'implied');
    assert.equal(plugin.options.has('implied'), false);
  });

  test('volumes that only the plugin knows of are listed, inspected, used and removed', async () => {
    for (const name of ['known', 'other']) {
      plugin.options.set(name, {});
      mkdirSync(join(plugin.directory, name));
    }
    const list = ['volume', 'ls', '--filter', `driver=${plugin.name}`, '--format', '{{.Name}}'];
    assert.equal(await docker.run(...list), 'far\nknown\nother');
    assert.equal(
      await docker.run('volume', 'inspect', '-f', '{{.Driver}} {{.Scope}}', 'known'),
      `${plugin.name} global`,
    );
    await docker.run('run', '--rm', '-v', 'known:/v', 'busybox', 'sh', '-c', 'echo there > /v/f');
    assert.equal(readFileSync(join(plugin.directory, 'known/f'), 'utf8'), 'there\n');
    await docker.run('volume', 'rm', 'known', 'other');
    assert.deepEqual([...plugin.options.keys()], ['far']);
  });

  test('each container has an id of its own, which also a later daemon gives back', async () => {
    for (const name of ['one', 'two'])
      await docker.run('run', '-d', '--name', name, '-v', 'far:/v', 'busybox', 'sleep', '3600');
    const ids = (await docker.run('inspect', '-f', '{{.Id}}', 'one', 'two')).split('\n');
    assert.deepEqual(plugin.users.get('far'), ids);
    await daemon.kill();
    await plugin.close();
    await daemon.start();
    assert.equal(await docker.run('exec', 'one', 'cat', '/v/f'), 'hello');
    assert.equal(await docker.run('volume', 'ls', '-q', '--filter', `driver=${plugin.name}`), 'far');
    await plugin.listen();
    assert.deepEqual(plugin.users.get('far'), ids);
    await docker.run('rm', '-f', 'one');
    assert.deepEqual(plugin.users.get('far'), ids.slice(1));
    const { code, stderr } = await docker.try(['volume', 'rm', 'far']);
    assert.deepEqual([code, /volume is in use - \[/.test(stderr)], [1, true]);
    await docker.run('rm', '-f', 'two');
    assert.deepEqual(plugin.users.get('far'), []);
  });

  test('what it refuses is told in its words, and nothing is left', async () => {
    const refused = async (verb: string, args: string[]) => {
      plugin.refuses = verb;
      const { code, stderr } = await docker.try(args);
      plugin.refuses = '';
      assert.notEqual(code, 0);
      assert.match(stderr, new RegExp(`VolumeDriver.${verb}: ${verb} is not today`));
    };
    await refused('Create', ['volume', 'create', '-d', plugin.name, 'other']);
    assert.equal((await docker.try(['volume', 'inspect', 'other'])).code, 1);
    await refused('Mount', ['run', '--rm', '-v', 'far:/v', 'busybox', 'true']);
    assert.deepEqual(plugin.users.get('far'), []);
    await refused('Remove', ['volume', 'rm', 'far']);
    assert.equal(await docker.run('volume', 'ls', '-q', '--filter', 'name=far'), 'far');
    await docker.run('volume', 'rm', 'far');
    const { stderr } = await docker.try(['volume', 'create', '-d', 'nosuch-plugin', 'other']);
    assert.match(
      stderr,
      /create other: error looking up volume plugin nosuch-plugin: plugin "nosuch-plugin" not found/,
    );
  });
});
