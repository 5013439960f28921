import { mkdirSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Logger, messageOf, notFound } from '#base';
import type { Database } from '#metadata';
import type { LogLine, LogQuery } from '#runtime';
import type { ReadLog } from '../containers/inspect/logs.ts';
import type { LiveContainer } from '../containers/live-container.ts';

/** The log of a container that is gone, kept because its service goes on. */
export interface KeptLog {
  /** The container's id. */
  readonly id: string;
  readonly name: string;
  readonly service: string;
  /** Number within the service. */
  readonly number: number;
  readonly tty: boolean;
  /** When the container was made and removed, ms since the epoch. */
  readonly createdAt: number;
  readonly removedAt: number;
  readonly bytes: number;
}

/** Logs of earlier containers of Compose projects. */
export interface ProjectLogs {
  /** Oldest first. */
  list(project: string): Promise<KeptLog[]>;
  /** Lines in batches. Throws `not-found`. */
  read(project: string, id: string, query: Omit<LogQuery, 'follow'>): Promise<AsyncIterable<readonly LogLine[]>>;
}

/** Earlier containers of a service whose logs are kept, and most bytes of them together. */
const mostLogs = 5;
const mostBytes = 100 * 1024 * 1024;

interface Place {
  readonly project: string;
  readonly service: string;
}

/** The service of a Compose project that a container is of, by its labels; undefined for others and one-off ones. */
function placeOf({ settings: { labels } }: LiveContainer): Place | undefined {
  const project = labels['com.docker.compose.project'];
  const service = labels['com.docker.compose.service'];
  if (!project || !service || labels['com.docker.compose.oneoff'] === 'True') return undefined;
  return { project, service };
}

/**
 * Keeps the logs of containers that are removed while others of their service are there: that is how a recreation looks.
 * When the last one goes, as with `down`, so do they. A log is moved first and recorded then; what has no record is
 * removed at the next start.
 */
export class KeptLogs implements ProjectLogs {
  readonly #database: Database;
  readonly #root: string;
  readonly #readLog: ReadLog;
  readonly #logger: Logger;

  constructor(options: { database: Database; root: string; readLog: ReadLog; logger: Logger }) {
    this.#database = options.database;
    this.#root = options.root;
    this.#readLog = options.readLog;
    this.#logger = options.logger;
    mkdirSync(this.#root, { recursive: true, mode: 0o700 });
  }

  /** Called for a container that is about to be removed, with all there are. */
  async removing(container: LiveContainer, all: readonly LiveContainer[]): Promise<void> {
    const place = placeOf(container);
    if (place === undefined) return;
    const isSibling = (other: LiveContainer): boolean => {
      const its = other === container || other.removing ? undefined : placeOf(other);
      return its?.project === place.project && its.service === place.service;
    };
    try {
      if (all.some(isSibling)) await this.#keep(container, place);
      else for (const { id } of this.#of(place)) await this.#drop(id);
    } catch (error) {
      // A log is no reason to keep a container.
      this.#logger.warn('cannot keep the log of a container', { container: container.name, error: messageOf(error) });
    }
  }

  /** Removes what belongs to services without a container, and what an earlier daemon moved and did not record. */
  async reconcile(all: readonly LiveContainer[]): Promise<void> {
    const alive = new Set(all.map((container) => JSON.stringify(placeOf(container))));
    const known = new Set<string>();
    for (const row of this.#database.all<Place & { id: string }>('SELECT id, project, service FROM engine_kept_logs')) {
      const { id, project, service } = row;
      if (alive.has(JSON.stringify({ project, service }))) known.add(id);
      else await this.#drop(id);
    }
    for (const name of await readdir(this.#root)) {
      if (!known.has(name)) await rm(join(this.#root, name), { recursive: true, force: true });
    }
  }

  async list(project: string): Promise<KeptLog[]> {
    const sql = 'SELECT record FROM engine_kept_logs WHERE project = ? ORDER BY at, id';
    return this.#database.all<{ record: string }>(sql, project).map(({ record }) => JSON.parse(record));
  }

  async read(project: string, id: string, query: Omit<LogQuery, 'follow'>): Promise<AsyncIterable<readonly LogLine[]>> {
    const sql = 'SELECT id FROM engine_kept_logs WHERE project = ? AND id = ?';
    if (this.#database.get(sql, project, id) === undefined) {
      throw notFound(`project ${project} has no earlier container ${id}`);
    }
    return this.#readLog(join(this.#root, id, 'log'), query);
  }

  async #keep(container: LiveContainer, { project, service }: Place): Promise<void> {
    const { id, name, settings } = container;
    const { log } = settings.paths;
    if (log === '') return;
    // The writer has ended once the run is cleaned up.
    await container.cleanup;
    const target = join(this.#root, id);
    await mkdir(target, { recursive: true, mode: 0o700 });
    let bytes = 0;
    for (const file of await readdir(dirname(log))) {
      if (file !== basename(log) && !file.startsWith(`${basename(log)}.`)) continue;
      const source = join(dirname(log), file);
      bytes += (await stat(source)).size;
      await rename(source, join(target, `log${file.slice(basename(log).length)}`));
    }
    if (bytes === 0) {
      await rm(target, { recursive: true, force: true });
      return;
    }
    const number = Number(settings.labels['com.docker.compose.container-number'] ?? 0) || 0;
    const removedAt = Date.now();
    const { tty } = settings.process;
    const record: KeptLog = { id, name, service, number, tty, createdAt: settings.createdAt, removedAt, bytes };
    const values = [id, project, service, JSON.stringify(record), removedAt];
    this.#database.run('INSERT OR REPLACE INTO engine_kept_logs VALUES (?, ?, ?, ?, ?)', ...values);
    await this.#trim({ project, service });
  }

  async #trim(place: Place): Promise<void> {
    let total = 0;
    for (const [index, { id, bytes }] of this.#of(place).entries()) {
      total += bytes;
      if (index >= mostLogs || total > mostBytes) await this.#drop(id);
    }
  }

  /** Newest first. */
  #of({ project, service }: Place): KeptLog[] {
    const sql = 'SELECT record FROM engine_kept_logs WHERE project = ? AND service = ? ORDER BY at DESC, id DESC';
    return this.#database.all<{ record: string }>(sql, project, service).map(({ record }) => JSON.parse(record));
  }

  async #drop(id: string): Promise<void> {
    this.#database.run('DELETE FROM engine_kept_logs WHERE id = ?', id);
    await rm(join(this.#root, id), { recursive: true, force: true });
  }
}
