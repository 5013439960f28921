import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { ProgressMessage } from '#api-types';
import { invalid, isBerthError, messageOf, notImplemented, unavailable } from '#base';
import type { Client } from '#client';
import type { ImageSource, Reporter, Service } from '#compose';
import { type ContextArguments, placeOfContext, readBuildContext } from '../build/build-context.ts';
import { PlainTrace } from '../build/plain-trace.ts';
import { type BuildExtras, buildWithSession } from '../build/session-build.ts';
import { humanSize } from '../format/index.ts';
import { readConfigFile } from '../host/index.ts';
import { allCredentials, pullImage, renderProgress } from '../progress/index.ts';
import type { ComposeInvocation } from './compose-command.ts';
import { serviceExtras } from './service-extras.ts';

type BuildOptions = Parameters<ImageSource['build']>[1];

type PullOptions = Parameters<ImageSource['pull']>[1];

const json = (value: object | undefined): string | undefined =>
  value === undefined || Object.keys(value).length === 0 ? undefined : JSON.stringify(value);

/** What an image cannot be built for here. */
function checkSupported(service: Service): void {
  if ((service.build?.platforms?.length ?? 0) > 1) {
    throw notImplemented(`service "${service.name}": build.platforms (more than one) cannot be used with this builder`);
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

/** The build of one service; what it says goes to `output`. */
interface ServiceBuild {
  readonly service: Service;
  readonly place: ContextArguments;
  readonly options: BuildOptions;
  readonly output: PassThrough;
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

  async checkBuild(service: Service, options: Pick<BuildOptions, 'project' | 'ssh'>): Promise<void> {
    checkSupported(service);
    const { env } = this.#invocation.terminal;
    await serviceExtras(service, options.project, { env, ssh: options.ssh ?? '', warn: () => undefined });
  }

  async build(service: Service, options: BuildOptions): Promise<void> {
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
    const output = prefixed((text) => options.reporter.print(text), service.name);
    if (options.quiet) output.removeAllListeners('data').resume();
    const { terminal } = this.#invocation;
    const directory = service.build?.context ?? options.project.workingDir;
    const remote = /^[a-z]+:\/\/|^git@/.test(directory);
    const place: ContextArguments = {
      context: directory,
      file: dockerfile === '' || dockerfile.startsWith('/') || remote ? dockerfile : join(directory, dockerfile),
      cwd: options.project.workingDir,
      stdin: terminal.stdin,
    };
    try {
      placeOfContext(place);
    } catch (error) {
      const where = options.project.locate?.(['services', service.name, 'build', 'context']);
      const suffix = where === undefined ? '' : ` (${where})`;
      throw invalid(`service "${service.name}": build.context: ${messageOf(error)}${suffix}`, { cause: error });
    }
    const extras = await serviceExtras(service, options.project, {
      env: terminal.env,
      warn: (text) => options.reporter.warn(text),
      ssh: options.ssh ?? '',
    });
    try {
      if (extras === undefined) await this.#buildClassic({ service, place, options, output });
      else await this.#buildAsking({ service, place, options, output, extras });
    } catch (error) {
      const place = isBerthError(error) && typeof error.details.place === 'string' ? error.details.place : '';
      const text = `failed to build service "${service.name}": ${messageOf(error)}`;
      throw unavailable(`${text}${place === '' ? '' : `\n${place.trimEnd()}`}`, { cause: error });
    } finally {
      output.end();
    }
  }

  async #buildClassic({ service, place, options, output }: ServiceBuild): Promise<void> {
    const context = await readBuildContext(place);
    const messages = this.#client.images.build({
      context: context.tar,
      query: { ...buildQuery(service, context.dockerfile, options), remote: context.remote },
      auths: await allCredentials(readConfigFile(this.#invocation.globals.configDir)),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    await renderProgress(messages, output);
  }

  async #buildAsking(build: ServiceBuild & { readonly extras: BuildExtras }): Promise<void> {
    const { service, place, options, output, extras } = build;
    await buildWithSession(this.#client, {
      place,
      extras,
      query: (dockerfile) => buildQuery(service, dockerfile, options),
      display: new PlainTrace(output),
      configDir: this.#invocation.globals.configDir,
      ...(options.signal ? { signal: options.signal } : {}),
    });
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
