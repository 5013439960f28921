import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { describe, test } from 'node:test';
import type { LoadOptions } from './load-options.ts';
import { loadProject } from './load-project.ts';
import { renderConfig } from './render-config.ts';
import type { SourceReader } from './source-reader.ts';

/** A disk of these files: absolute path to text. */
function disk(files: Record<string, string>): SourceReader {
  return {
    read: async (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
      return text;
    },
    kind: async (path) => {
      if (path in files) return 'file';
      return Object.keys(files).some((file) => dirname(file).startsWith(path)) ? 'directory' : 'missing';
    },
  };
}

function load(files: Record<string, string>, options: Partial<LoadOptions> = {}) {
  return loadProject({ workingDir: '/p', environment: {}, reader: disk(files), ...options });
}

const service = (image: string) => `services: {a: {image: "${image}"}}`;

describe('finding files', () => {
  test('a file in a parent directory is found, and its directory is the project', async () => {
    const project = await load({ '/p/compose.yaml': service('x') }, { workingDir: '/p/q/r' });
    assert.equal(project.workingDir, '/p');
    assert.deepEqual(project.composeFiles, ['/p/compose.yaml']);
  });

  test('the override file beside it is merged', async () => {
    const files = { '/p/compose.yml': service('x'), '/p/compose.override.yml': service('y') };
    assert.equal((await load(files)).services.a?.image, 'y');
  });

  test('of several candidates the first is used and the user is told', async () => {
    const project = await load({ '/p/compose.yaml': service('x'), '/p/docker-compose.yml': service('y') });
    assert.equal(project.services.a?.image, 'x');
    assert.match(project.warnings[0] ?? '', /Found multiple config files with supported names/);
  });

  test('no file at all is not found', async () => {
    await assert.rejects(load({}), { kind: 'not-found', message: /no configuration file provided: not found/ });
  });

  test('a named file that is missing is named', async () => {
    await assert.rejects(load({}, { files: ['x.yaml'] }), /open \/p\/x\.yaml: no such file or directory/);
  });

  test('COMPOSE_FILE names several, also from .env', async () => {
    const files = {
      '/p/a.yml': service('x'),
      '/p/b.yml': 'services: {b: {image: z}}',
      '/p/.env': 'COMPOSE_FILE=a.yml:b.yml',
    };
    assert.deepEqual(Object.keys((await load(files)).services), ['a', 'b']);
    const environment = { COMPOSE_FILE: 'a.yml,b.yml', COMPOSE_PATH_SEPARATOR: ',' };
    assert.deepEqual(Object.keys((await load(files, { environment })).services), ['a', 'b']);
  });

  test('a dash is standard input', async () => {
    const project = await load({}, { files: ['-'], readInput: async () => service('x') });
    assert.deepEqual([project.composeFiles, project.workingDir, project.name], [['-'], '/p', 'p']);
  });
});

describe('variables', () => {
  const files = { '/p/compose.yaml': service(`\${X}`), '/p/.env': 'X=dot', '/p/one': 'X=one', '/p/two': 'X=two' };
  const imageWith = async (options: Partial<LoadOptions>) => (await load(files, options)).services.a?.image;

  test('the process wins over files, the last file over the first, and files that are named over .env', async () => {
    assert.equal(await imageWith({}), 'dot');
    assert.equal(await imageWith({ envFiles: ['one', 'two'] }), 'two');
    assert.equal(await imageWith({ environment: { COMPOSE_ENV_FILES: 'two,one' } }), 'one');
    assert.equal(await imageWith({ envFiles: ['one'], environment: { X: 'shell' } }), 'shell');
  });

  test('COMPOSE_DISABLE_ENV_FILE leaves .env alone, and the user is told of what is not set, once', async () => {
    const text = `services: {a: {image: "x\${X}", command: ["$X"]}}`;
    const project = await load(
      { '/p/compose.yaml': text, '/p/.env': 'X=dot' },
      { environment: { COMPOSE_DISABLE_ENV_FILE: '1' } },
    );
    assert.deepEqual(project.warnings, ['The "X" variable is not set. Defaulting to a blank string.']);
  });

  test('a missing env file is an error', async () => {
    await assert.rejects(load(files, { envFiles: ['nope'] }), /couldn't find env file: \/p\/nope/);
  });

  test("the project's name is a variable", async () => {
    const project = await load({ '/p/compose.yaml': `name: q\n${service(`\${COMPOSE_PROJECT_NAME}`)}` });
    assert.equal(project.services.a?.image, 'q');
  });
});

describe('services that take part', () => {
  const files = {
    '/p/compose.yaml':
      'services: {a: {image: x}, b: {image: x, profiles: [p], volumes: ["vol:/v"]}, c: {image: x, depends_on: [a]}}\nvolumes: {vol: }',
  };

  test('a service with a profile is off until the profile is on or the service is named', async () => {
    assert.deepEqual(Object.keys((await load(files)).services), ['a', 'c']);
    assert.deepEqual(Object.keys((await load(files)).disabledServices), ['b']);
    assert.deepEqual(Object.keys((await load(files, { profiles: ['p'] })).services), ['a', 'b', 'c']);
    assert.deepEqual(
      Object.keys((await load(files, { environment: { COMPOSE_PROFILES: 'x, p' } })).services).length,
      3,
    );
    assert.deepEqual(Object.keys((await load(files, { services: ['b'] })).services), ['b']);
  });

  test('dependencies of a named service come with it', async () => {
    assert.deepEqual(Object.keys((await load(files, { services: ['c'] })).services), ['a', 'c']);
  });

  test('an unknown service is not found', async () => {
    await assert.rejects(load(files, { services: ['z'] }), { kind: 'not-found', message: 'no such service: z' });
  });

  test('what no service uses is dropped unless everything is asked for', async () => {
    assert.deepEqual(Object.keys((await load(files)).volumes), []);
    assert.deepEqual(Object.keys((await load(files, { allResources: true })).volumes), ['vol']);
  });
});

describe('circles and hostile files', () => {
  test('an include circle is spelt out', async () => {
    const files = { '/p/compose.yaml': 'include: [b.yaml]', '/p/b.yaml': 'include: [compose.yaml]' };
    const message = /include cycle detected:\n\/p\/compose\.yaml\n include \/p\/b\.yaml\n include \/p\/compose\.yaml/;
    await assert.rejects(load(files), message);
  });

  test('an extends circle across files is spelt out', async () => {
    const files = {
      '/p/compose.yaml': 'services: {a: {extends: {file: b.yaml, service: b}}}',
      '/p/b.yaml': 'services: {b: {extends: {file: compose.yaml, service: a}}}',
    };
    await assert.rejects(
      load(files),
      /Circular reference:\n {2}a in \/p\/compose\.yaml\n {2}extends b in \/p\/b\.yaml/,
    );
  });

  test('a service named like a property of every object is a service', async () => {
    const project = await load({
      '/p/compose.yaml': 'services: {constructor: {image: x}, a: {image: x, depends_on: [constructor]}}',
    });
    assert.deepEqual(Object.keys(project.services), ['a', 'constructor']);
    await assert.rejects(
      load({ '/p/compose.yaml': 'services: {a: {image: x, depends_on: [toString]}}' }),
      /depends on undefined service "toString"/,
    );
  });

  test('remote files are refused by name', async () => {
    await assert.rejects(load({}, { files: ['https://example.com/c.yaml'] }), /only local files are supported/);
    await assert.rejects(
      load({ '/p/compose.yaml': 'include: [https://example.com/x.git]' }),
      /cannot include https.*only local files are supported \(\/p\/compose\.yaml:1\)/,
    );
  });
});

test('a wrong key is told with its line and the right one', async () => {
  const text = 'services:\n  a:\n    image: x\n    enviroment: {}\n';
  await assert.rejects(load({ '/p/compose.yaml': text }), (error: Error & { details: object }) => {
    assert.match(error.message, /'enviroment' not allowed \(\/p\/compose\.yaml:4, did you mean "environment"\?\)$/);
    assert.deepEqual(error.details, {
      file: '/p/compose.yaml',
      line: 4,
      column: 5,
      path: 'services.a.enviroment',
      hint: 'did you mean "environment"?',
    });
    return true;
  });
});

test('the line of an error in a merge is that of the file that says it', async () => {
  const files = {
    '/p/compose.yaml': service('x'),
    '/p/compose.override.yaml': 'services:\n  a:\n    ports:\n      - "x:y"\n',
  };
  await assert.rejects(load(files), /Invalid containerPort: y \(\/p\/compose\.override\.yaml:4\)/);
});

test('environment secrets carry their value, which no output shows', async () => {
  const text = 'services: {a: {image: x, secrets: [s]}}\nsecrets: {s: {environment: TOKEN}}';
  const options = { workingDir: '/p', environment: { TOKEN: 'hidden' }, reader: disk({ '/p/compose.yaml': text }) };
  assert.equal((await loadProject(options)).secrets.s?.content, 'hidden');
  for (const format of ['json', 'yaml'] as const) {
    const { text: output } = await renderConfig({ ...options, format });
    assert.ok(!output.includes('hidden'));
    assert.ok(output.includes('TOKEN'));
  }
  assert.ok(!(await renderConfig({ ...options, interpolate: false })).text.includes('hidden'));
});

describe('config', () => {
  const request = {
    workingDir: '/p',
    environment: {},
    reader: disk({
      '/p/compose.yaml': `services: {b: {image: "x:\${T-1}", depends_on: [a]}, a: {build: ., environment: {P: "$$5"}}}`,
    }),
  };

  test('prints names in the order of dependencies, and images with the names that builds get', async () => {
    assert.equal((await renderConfig({ ...request, print: 'services' })).text, 'a\nb\n');
    assert.equal((await renderConfig({ ...request, print: 'images' })).text, 'p-a\nx:1\n');
  });

  test('doubles dollars so that the output means the same as the input', async () => {
    assert.match((await renderConfig(request)).text, /P: \$\$5/);
  });

  test('shows variables without replacing them', async () => {
    assert.match((await renderConfig({ ...request, interpolate: false })).text, /image: x:\$\{T-1\}/);
    assert.match((await renderConfig({ ...request, print: 'variables' })).text, /^T {19}false {15}1 +$/m);
  });

  test('pins images by the digests it is given', async () => {
    const resolveDigest = async (image: string) => `${image}@sha256:0`;
    assert.match((await renderConfig({ ...request, resolveDigest })).text, /image: x:1@sha256:0/);
    const locked = await renderConfig({ ...request, resolveDigest, lockImages: true });
    assert.equal(locked.text, 'services:\n  b:\n    image: x:1@sha256:0\n');
  });
});
