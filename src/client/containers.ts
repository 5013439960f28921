import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type {
  ContainerCreateRequest,
  ContainerCreateResponse,
  ContainerDrain,
  ContainerInspect,
  ContainerPathStat,
  ContainerStats,
  ContainerSummary,
  ContainersPruneReport,
  ContainerTakeOver,
  ContainerTop,
  ContainerUpdateRequest,
  ContainerUpdateResponse,
  ContainerWait,
  FilesystemChange,
  IdResponse,
} from '#api-types';
import { internal } from '#base';
import { filtersQuery } from './filters.ts';
import { jsonLines } from './json-lines.ts';
import type { Hijacked, Transport } from './transport.ts';

/** What may stop a call. */
export interface Cancellable {
  readonly signal?: AbortSignal;
}

/** Which of its output streams. */
interface OutputOptions extends Cancellable {
  readonly stdout?: boolean;
  readonly stderr?: boolean;
}

/** Which streams of a container to join. */
export interface AttachOptions extends OutputOptions {
  readonly stdin?: boolean;
  /** Also what was written before. */
  readonly logs?: boolean;
  readonly detachKeys?: string;
}

/** Which lines of a container's log. Times as Docker's: RFC 3339, seconds, or a duration back from now. */
export interface LogsOptions extends OutputOptions {
  readonly follow?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly timestamps?: boolean;
  readonly details?: boolean;
  /** A number of lines or `all`. */
  readonly tail?: string;
}

const stoppedBy = ({ signal }: Cancellable): Cancellable => (signal ? { signal } : {});

const at = (id: string, action = ''): string => `/containers/${encodeURIComponent(id)}${action}`;

const inspection = (id: string, { size }: { size?: boolean }) =>
  ({ method: 'GET', path: at(id, '/json'), query: { size: size || undefined } }) as const;

/** Docker's container calls. Each throws `ApiError` when the daemon refuses and `ConnectError` when there is none. */
export class ContainersClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(
    options: { all?: boolean; limit?: number; size?: boolean; filters?: readonly string[] } = {},
  ): Promise<ContainerSummary[]> {
    const { all, limit, size, filters = [] } = options;
    const query = { all: all || undefined, limit, size: size || undefined, filters: filtersQuery(filters) };
    return this.#transport.json({ method: 'GET', path: '/containers/json', query });
  }

  create(
    body: ContainerCreateRequest,
    options: { name?: string; platform?: string } = {},
  ): Promise<ContainerCreateResponse> {
    const query = { name: options.name || undefined, platform: options.platform || undefined };
    return this.#transport.json({ method: 'POST', path: '/containers/create', query, body });
  }

  inspect(id: string, options: { size?: boolean } = {}): Promise<ContainerInspect> {
    return this.#transport.json(inspection(id, options));
  }

  /** The answer of inspect exactly as the daemon wrote it. */
  inspectText(id: string, options: { size?: boolean } = {}): Promise<string> {
    return this.#transport.text(inspection(id, options));
  }

  start(id: string, options: { detachKeys?: string; checkpoint?: string; checkpointDir?: string } = {}): Promise<void> {
    const query = {
      detachKeys: options.detachKeys || undefined,
      checkpoint: options.checkpoint || undefined,
      'checkpoint-dir': options.checkpointDir || undefined,
    };
    return this.#transport.json({ method: 'POST', path: at(id, '/start'), query });
  }

  /** A Berth call: starts it without its ports, to take the place of `holder` later. */
  startBeside(id: string, holder: string): Promise<void> {
    const path = `/berth${at(id, '/start-beside')}`;
    return this.#transport.json({ method: 'POST', path, query: { of: holder } });
  }

  /** A Berth call: it gets ports, names and the name of the container that it was started beside. */
  takeOver(id: string): Promise<ContainerTakeOver> {
    return this.#transport.json({ method: 'POST', path: `/berth${at(id, '/takeover')}` });
  }

  /** A Berth call: waits until nobody is connected to it, `timeout` seconds at most. */
  drain(id: string, timeout: number): Promise<ContainerDrain> {
    return this.#transport.json({ method: 'POST', path: `/berth${at(id, '/drain')}`, query: { timeout } });
  }

  /** A Berth call: gives it a file that is kept in memory only. `mode` is permission bits. */
  putSecret(
    id: string,
    secret: { path: string; mode: number; uid: number; gid: number; content: Uint8Array },
  ): Promise<void> {
    const { path, mode, uid, gid, content } = secret;
    return this.#transport.json({
      method: 'PUT',
      path: `/berth${at(id, '/secrets')}`,
      query: { path, mode: mode.toString(8), uid, gid },
      upload: Readable.from([content]),
      headers: { 'content-type': 'application/octet-stream' },
    });
  }

  /** Stops; `timeout` is in seconds until the kill. */
  stop(id: string, options: { timeout?: number; stopSignal?: string } = {}): Promise<void> {
    return this.#signalled(id, '/stop', options);
  }

  restart(id: string, options: { timeout?: number; stopSignal?: string } = {}): Promise<void> {
    return this.#signalled(id, '/restart', options);
  }

  #signalled(id: string, action: string, options: { timeout?: number; stopSignal?: string }): Promise<void> {
    const query = { t: options.timeout, signal: options.stopSignal || undefined };
    return this.#transport.json({ method: 'POST', path: at(id, action), query });
  }

  kill(id: string, signalName: string): Promise<void> {
    return this.#transport.json({ method: 'POST', path: at(id, '/kill'), query: { signal: signalName } });
  }

  pause(id: string): Promise<void> {
    return this.#transport.json({ method: 'POST', path: at(id, '/pause') });
  }

  unpause(id: string): Promise<void> {
    return this.#transport.json({ method: 'POST', path: at(id, '/unpause') });
  }

  rename(id: string, name: string): Promise<void> {
    return this.#transport.json({ method: 'POST', path: at(id, '/rename'), query: { name } });
  }

  update(id: string, body: ContainerUpdateRequest): Promise<ContainerUpdateResponse> {
    return this.#transport.json({ method: 'POST', path: at(id, '/update'), body });
  }

  remove(id: string, options: { force?: boolean; volumes?: boolean; link?: boolean } = {}): Promise<void> {
    const query = {
      force: options.force || undefined,
      v: options.volumes || undefined,
      link: options.link || undefined,
    };
    return this.#transport.json({ method: 'DELETE', path: at(id), query });
  }

  /**
   * Waits for a condition. Resolves `accepted` as soon as the daemon listens, so that a wait asked before `start`
   * misses nothing; `result` follows with the exit code.
   */
  async wait(
    id: string,
    options: { condition?: 'not-running' | 'next-exit' | 'removed' } & Cancellable = {},
  ): Promise<{ result: Promise<ContainerWait> }> {
    const response = await this.#transport.stream({
      method: 'POST',
      path: at(id, '/wait'),
      query: { condition: options.condition },
      ...stoppedBy(options),
    });
    const result = (async () => {
      for await (const answer of jsonLines<ContainerWait>(response)) return answer;
      throw internal(`the wait for container ${id} ended without an answer`);
    })();
    result.catch(() => undefined);
    return { result };
  }

  attach(id: string, options: AttachOptions): Promise<Hijacked> {
    const query = {
      stream: true,
      stdin: options.stdin || undefined,
      stdout: options.stdout || undefined,
      stderr: options.stderr || undefined,
      logs: options.logs || undefined,
      detachKeys: options.detachKeys || undefined,
    };
    return this.#transport.hijack({ method: 'POST', path: at(id, '/attach'), query, ...stoppedBy(options) });
  }

  resize(id: string, size: { rows: number; columns: number }): Promise<void> {
    return this.#transport.json({ method: 'POST', path: at(id, '/resize'), query: { h: size.rows, w: size.columns } });
  }

  /** The log as a stream, framed unless the container has a terminal. */
  logs(id: string, options: LogsOptions): Promise<IncomingMessage> {
    const query = {
      follow: options.follow || undefined,
      stdout: options.stdout || undefined,
      stderr: options.stderr || undefined,
      since: options.since || undefined,
      until: options.until || undefined,
      timestamps: options.timestamps || undefined,
      details: options.details || undefined,
      tail: options.tail || undefined,
    };
    return this.#transport.stream({ method: 'GET', path: at(id, '/logs'), query, ...stoppedBy(options) });
  }

  top(id: string, psArgs: string): Promise<ContainerTop> {
    return this.#transport.json({ method: 'GET', path: at(id, '/top'), query: { ps_args: psArgs || undefined } });
  }

  changes(id: string): Promise<FilesystemChange[] | null> {
    return this.#transport.json({ method: 'GET', path: at(id, '/changes') });
  }

  export(id: string, options: Cancellable = {}): Promise<IncomingMessage> {
    return this.#transport.stream({ method: 'GET', path: at(id, '/export'), ...options });
  }

  /** Samples, one a second; exactly one when `stream` is false. */
  async *stats(id: string, options: { stream?: boolean } & Cancellable = {}): AsyncGenerator<ContainerStats> {
    const { stream = true } = options;
    const response = await this.#transport.stream({
      method: 'GET',
      path: at(id, '/stats'),
      query: { stream },
      ...stoppedBy(options),
    });
    yield* jsonLines<ContainerStats>(response);
  }

  /** What a path in the container is. */
  async pathStat(id: string, path: string): Promise<ContainerPathStat> {
    const response = await this.#transport.stream({ method: 'HEAD', path: at(id, '/archive'), query: { path } });
    response.resume();
    return decodePathStat(response);
  }

  /** A path as a tar stream. */
  async readArchive(
    id: string,
    path: string,
    options: Cancellable = {},
  ): Promise<{ stat: ContainerPathStat; tar: IncomingMessage }> {
    const tar = await this.#transport.stream({ method: 'GET', path: at(id, '/archive'), query: { path }, ...options });
    return { stat: decodePathStat(tar), tar };
  }

  /** Unpacks a tar stream in a directory of the container. */
  writeArchive(
    id: string,
    options: { path: string; tar: Readable; copyUidGid?: boolean; noOverwriteDirNonDir?: boolean },
  ): Promise<void> {
    const query = {
      path: options.path,
      noOverwriteDirNonDir: options.noOverwriteDirNonDir ? 'true' : undefined,
      copyUIDGID: options.copyUidGid ? 'true' : undefined,
    };
    return this.#transport.json({ method: 'PUT', path: at(id, '/archive'), query, upload: options.tar });
  }

  commit(
    id: string,
    options: {
      repo?: string;
      tag?: string;
      comment?: string;
      author?: string;
      pause?: boolean;
      changes?: readonly string[];
    },
  ): Promise<IdResponse> {
    const { repo, tag, comment, author, pause = true, changes } = options;
    const query = {
      container: id,
      repo: repo || undefined,
      tag: tag || undefined,
      comment: comment || undefined,
      author: author || undefined,
      pause: pause ? undefined : false,
      changes,
    };
    return this.#transport.json({ method: 'POST', path: '/commit', query, body: {} });
  }

  prune(filters: readonly string[] = []): Promise<ContainersPruneReport> {
    return this.#transport.json({
      method: 'POST',
      path: '/containers/prune',
      query: { filters: filtersQuery(filters) },
    });
  }
}

function decodePathStat(response: IncomingMessage): ContainerPathStat {
  const header = response.headers['x-docker-container-path-stat'];
  if (typeof header !== 'string') throw internal('the daemon did not say what the path is');
  return JSON.parse(Buffer.from(header, 'base64').toString()) as ContainerPathStat;
}
