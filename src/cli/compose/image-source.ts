import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { ProgressMessage } from '#api-types';
import { invalid, messageOf, notImplemented, unavailable } from '#base';
import type { Client } from '#client';
import type { ImageSource, Reporter, Service } from '#compose';
import { readBuildContext } from '../build/build-context.ts';
import { humanSize } from '../format/index.ts';
import { readConfigFile } from '../host/index.ts';
import { allCredentials, pullImage, renderProgress } from '../progress/index.ts';
import type { ComposeInvocation } from './compose-command.ts';

type BuildOptions = Parameters<ImageSource['build']>[1];

type PullOptions = Parameters<ImageSource['pull']>[1];

const json = (value: object | undefined): string | undefined =>
  value === undefined || Object.keys(value).length === 0 ? undefined : JSON.stringify(value);

/** Build features that only BuildKit's API has. */
function checkSupported(service: Service): void {
  const { build } = service;
  const missing = [
    build?.additional_contexts && Object.keys(build.additional_contexts).length > 0 ? 'additional_contexts' : '',
    build?.secrets && build.secrets.length > 0 ? 'secrets' : '',
    build?.ssh && build.ssh.length > 0 ? 'ssh' : '',
    build?.platforms && build.platforms.length > 1 ? 'platforms (more than one)' : '',
  ].filter((name) => name !== '');
  if (missing.length > 0) {
    throw notImplemented(
      `service "${service.name}": build.${missing.join(', build.')} cannot be used with this builder`,
    );
  }
}

function buildQuery(service: Service, dockerfile: string, options: BuildOptions) {
  const build = service.build ?? {};
  const ulimits = Object.entries(build.ulimits ?? {}).map(([Name, limit]) =>
    typeof limit === 'number'
      ? { Name, Soft: limit, Hard: limit }
      : { Name, Soft: limit.soft ?? 0, Hard: limit.hard ?? 0 },
  );
  return {
    version: '1',
    dockerfile,
    t: [options.image, ...(build.tags ?? [])],
    nocache: options.noCache || build.no_cache || undefined,
    pull: options.pull || build.pull || undefined,
    rm: true,
    target: build.target || undefined,
    networkmode: build.network || undefined,
    platform: build.platforms?.[0] ?? service.platform ?? undefined,
    shmsize: build.shm_size === undefined ? undefined : Number(build.shm_size),
    memory: options.memory,
    cachefrom: json(build.cache_from),
    extrahosts: build.extra_hosts?.map((text) => text.replace('=', ':')).join(',') || undefined,
    buildargs: json({ ...build.args, ...options.args }),
    labels: json({
      ...build.labels,
      'com.docker.compose.project': options.project.name,
      'com.docker.compose.service': service.name,
    }),
    ulimits: ulimits.length > 0 ? JSON.stringify(ulimits) : undefined,
  };
}

/** What a pull says of one layer, as the status of a part of the pull. */
function reportLayer(message: ProgressMessage, { reporter, parent }: { reporter: Reporter; parent: string }): void {
  const { id, status = '', progressDetail } = message;
  // What concerns the whole image comes without an id, or with its tag for one.
  if (id === undefined || !/^[0-9a-f]{12}$/.test(id)) return;
  const { current = 0, total = 0 } = progressDetail ?? {};
  const size = total > 0 ? `${humanSize(current, 3)}/${humanSize(total, 3)}` : '';
  const kind = status === 'Pull complete' || status === 'Already exists' ? 'done' : 'working';
  reporter.status({ resource: id, parent, text: status, status: size, kind });
}

/** Marks each line of a build's output with the service it is of. */
function prefixed(print: (text: string) => void, service: string): PassThrough {
  const pass = new PassThrough();
  let rest = '';
  pass.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) print(lines.map((line) => `[${service}] ${line}\n`).join(''));
  });
  pass.on('end', () => {
    if (rest !== '') print(`[${service}] ${rest}\n`);
  });
  return pass;
}

/** Pulls with the stored credentials; builds by sending the context to the engine. */
export class ClientImageSource implements ImageSource {
  readonly #client: Client;
  readonly #invocation: ComposeInvocation;

  constructor(client: Client, invocation: ComposeInvocation) {
    this.#client = client;
    this.#invocation = invocation;
  }

  async pull(image: string, options: PullOptions): Promise<void> {
    const { platform, quiet, reporter, resource: parent, signal } = options;
    await pullImage(this.#client, this.#invocation, {
      image,
      signal,
      ...(platform ? { platform } : {}),
      ...(quiet ? {} : { onMessage: (message) => reportLayer(message, { reporter, parent }) }),
    });
  }

  async build(service: Service, options: BuildOptions): Promise<void> {
    checkSupported(service);
    const inline = service.build?.dockerfile_inline;
    if (inline === undefined) return this.#send(service, service.build?.dockerfile ?? '', options);
    const directory = await mkdtemp(join(tmpdir(), 'berth-compose-'));
    try {
      const file = join(directory, 'Dockerfile');
      await writeFile(file, inline);
      await this.#send(service, file, options);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  async #send(service: Service, dockerfile: string, options: BuildOptions): Promise<void> {
    const { terminal, globals } = this.#invocation;
    const directory = service.build?.context ?? options.project.workingDir;
    const remote = /^[a-z]+:\/\/|^git@/.test(directory);
    const context = await readBuildContext({
      context: directory,
      file: dockerfile === '' || dockerfile.startsWith('/') || remote ? dockerfile : join(directory, dockerfile),
      cwd: options.project.workingDir,
      stdin: terminal.stdin,
    }).catch((error: unknown) => {
      const place = options.project.locate?.(['services', service.name, 'build', 'context']);
      const where = place === undefined ? '' : ` (${place})`;
      throw invalid(`service "${service.name}": build.context: ${messageOf(error)}${where}`, { cause: error });
    });
    const messages = this.#client.images.build({
      context: context.tar,
      query: { ...buildQuery(service, context.dockerfile, options), remote: context.remote },
      auths: await allCredentials(readConfigFile(globals.configDir)),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const output = prefixed((text) => options.reporter.print(text), service.name);
    if (options.quiet) output.removeAllListeners('data').resume();
    try {
      await renderProgress(messages, output);
    } catch (error) {
      throw unavailable(`failed to build service "${service.name}": ${messageOf(error)}`, { cause: error });
    } finally {
      output.end();
    }
  }
}

/** `--memory` in bytes. */
export function memoryFlag(invocation: ComposeInvocation): { memory?: number } {
  const memory = invocation.flags.number('memory');
  return memory > 0 ? { memory } : {};
}

/** `--build-arg`s; those without a value take the environment's. */
export function buildArguments(invocation: ComposeInvocation): Record<string, string | null> {
  return Object.fromEntries(
    invocation.flags.list('build-arg').map((word): [string, string | null] => {
      const equals = word.indexOf('=');
      if (equals === -1) return [word, invocation.terminal.env[word] ?? null];
      return [word.slice(0, equals), word.slice(equals + 1)];
    }),
  );
}
