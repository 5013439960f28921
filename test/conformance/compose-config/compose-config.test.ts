// Compares what we make of Compose files with what docker compose 2.40.3 made of the same files. Each directory of
// testdata is a case: `case.json` has arguments (those that begin with @ are services) and variables, `expected.json`
// the document, `expected.yaml` the same as YAML, `expected.hash` the output of `config --hash '*'`, `expected.err` the message when there is no document.
// The files were recorded in `recordedAt`, which hashes depend on through absolute paths, so they are read as if there.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  type ConfigRequest,
  configDocument,
  diskReader,
  type LoadOptions,
  loadProject,
  renderConfig,
  type SourceReader,
} from '#compose';

const testdata = fileURLToPath(new URL('../../../test/conformance/compose-config/testdata', import.meta.url));
const recordedAt = '/tmp/berth-compose-config';

/** Messages that are ours: docker compose's come from the YAML library it uses. */
const ownMessages: Readonly<Record<string, RegExp>> = {
  'bad-yaml': /^yaml: line 4: .*compose\.yaml:4\)$/,
};

const reader: SourceReader = {
  read: (path) => diskReader.read(path.replace(recordedAt, testdata)),
  kind: (path) => diskReader.kind(path.replace(recordedAt, testdata)),
};

interface Case {
  args: string[];
  env: Record<string, string>;
}

function expected(name: string, file: string): string | undefined {
  const path = join(testdata, name, file);
  if (!existsSync(path)) return undefined;
  return readFileSync(path, 'utf8').replaceAll('@DIR@', join(recordedAt, name)).replaceAll('@PARENT@', recordedAt);
}

function optionsOf(name: string): ConfigRequest {
  const { args, env } = JSON.parse(expected(name, 'case.json') ?? '{"args":[],"env":{}}') as Case;
  const values = (flag: string) => args.flatMap((arg, index) => (args[index - 1] === flag ? [arg] : []));
  return {
    workingDir: join(recordedAt, name),
    environment: { HOME: '/root', ...env },
    files: values('-f'),
    envFiles: values('--env-file'),
    profiles: values('--profile'),
    projectName: values('-p')[0],
    services: args.filter((arg) => arg.startsWith('@')).map((arg) => arg.slice(1)),
    interpolate: !args.includes('--no-interpolate'),
    normalise: !args.includes('--no-normalize'),
    print: args.includes('--images') ? 'images' : undefined,
    reader,
  };
}

async function documentOf(options: LoadOptions): Promise<unknown> {
  const { text } = await renderConfig({ ...options, format: 'json' });
  return JSON.parse(text);
}

const cases = readdirSync(testdata, { withFileTypes: true }).filter((entry) => entry.isDirectory());

describe('compose config', () => {
  for (const { name } of cases) {
    const document = expected(name, 'expected.json');
    const yaml = expected(name, 'expected.yaml');
    if (document === undefined && yaml === undefined) {
      test(`${name} is refused with docker compose's message`, async () => {
        const message = expected(name, 'expected.err')?.trim() ?? '';
        await assert.rejects(loadProject(optionsOf(name)), (error: Error) => {
          const own = ownMessages[name];
          if (own) assert.match(error.message, own);
          else assert.equal(error.message.slice(0, message.length), message);
          return true;
        });
      });
      continue;
    }
    if (document !== undefined) {
      test(`${name} gives docker compose's document`, async () => {
        assert.deepEqual(await documentOf(optionsOf(name)), JSON.parse(document));
      });
    }
    if (yaml !== undefined) {
      test(`${name} gives docker compose's YAML, byte for byte`, async () => {
        assert.equal((await renderConfig(optionsOf(name))).text, yaml);
      });
    }
    const hashes = expected(name, 'expected.hash');
    if (hashes === undefined) continue;
    test(`${name} gives docker compose's hashes`, async () => {
      const { text } = await renderConfig({ ...optionsOf(name), hash: '*' });
      assert.deepEqual(text.split('\n').sort(), hashes.split('\n').sort());
    });
  }
});

describe('what is wrong with a compose file is told as docker compose tells it, with the line', () => {
  const faults = JSON.parse(readFileSync(join(testdata, 'faults.json'), 'utf8')) as Array<
    Record<'message' | 'file', string>
  >;
  for (const { message, file } of faults) {
    test(message.split('\n').at(-1), async () => {
      const directory = '/virtual';
      const isDirectory = (path: string) => ['/', directory, `${directory}/`].includes(path);
      const options: LoadOptions = {
        workingDir: directory,
        environment: {},
        reader: {
          read: async (path) => {
            if (path === `${directory}/compose.yaml`) return file;
            const code = isDirectory(path) ? 'EISDIR' : 'ENOENT';
            throw Object.assign(new Error(`${path}: ${code}`), { code });
          },
          kind: async (path) => {
            if (isDirectory(path)) return 'directory';
            return path === `${directory}/compose.yaml` ? 'file' : 'missing';
          },
        },
      };
      await assert.rejects(loadProject(options), (error: Error) => {
        const want = message.replaceAll('@DIR@', directory);
        assert.equal(error.message.slice(0, want.length), want);
        assert.match(error.message.slice(want.length), /\(\/virtual\/compose\.yaml:\d+|^$/);
        return true;
      });
    });
  }
});

test('the document of a project is the same as YAML and as JSON, but for what YAML leaves out', async () => {
  const options = optionsOf('mounts-and-ports');
  const { text } = await renderConfig(options);
  assert.match(text, /^name: mounts-and-ports\nservices:\n {2}a:\n {4}configs:\n/);
  assert.match(text, /\n {6}"n":\n {8}gw_priority: 3\n/);
  const again = await loadProject({ ...options, reader: { ...reader, read: async () => text } });
  assert.deepEqual(configDocument(again).services, configDocument(await loadProject(options)).services);
});
