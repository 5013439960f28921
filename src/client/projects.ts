import type { IncomingMessage } from 'node:http';
import type { ProjectLog, ProjectRevision, ProjectRevisionCreated, ProjectTurnMessage } from '#api-types';
import type { LogsOptions } from './containers.ts';
import { jsonLines } from './json-lines.ts';
import type { Transport } from './transport.ts';

const at = (project: string, action: string): string => `/berth/projects/${encodeURIComponent(project)}${action}`;

/** Berth's own calls on Compose projects; other engines answer them with `not-found`. */
export class ProjectsClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Newest first, without documents. */
  revisions(project: string): Promise<ProjectRevision[]> {
    return this.#transport.json({ method: 'GET', path: at(project, '/revisions') });
  }

  /** With its document. */
  revision(project: string, number: number): Promise<ProjectRevision> {
    return this.#transport.json({ method: 'GET', path: at(project, `/revisions/${number}`) });
  }

  /** Earlier containers whose logs are there, oldest first. */
  logs(project: string): Promise<ProjectLog[]> {
    return this.#transport.json({ method: 'GET', path: at(project, '/logs') });
  }

  /** The log of an earlier container; framed unless it had a terminal. */
  log(project: string, id: string, options: Omit<LogsOptions, 'follow' | 'details'>): Promise<IncomingMessage> {
    const { stdout, stderr, since, until, timestamps, tail, signal } = options;
    return this.#transport.stream({
      method: 'GET',
      path: at(project, `/logs/${encodeURIComponent(id)}`),
      query: { stdout, stderr, since, until, timestamps: timestamps || undefined, tail },
      ...(signal ? { signal } : {}),
    });
  }

  /** Asks for a turn to change the project; it lasts until `signal`. The messages come as things happen. */
  async *turn(
    project: string,
    options: { by: string; ends: boolean; signal: AbortSignal },
  ): AsyncGenerator<ProjectTurnMessage> {
    const { signal, ...query } = options;
    const call = { method: 'POST', path: at(project, '/turn'), query, signal } as const;
    yield* jsonLines<ProjectTurnMessage>(await this.#transport.stream(call));
  }

  /** Records a revision in the caller's name. */
  record(
    project: string,
    body: Pick<ProjectRevision, 'User' | 'Images' | 'Changes' | 'Document'>,
  ): Promise<ProjectRevisionCreated> {
    return this.#transport.json({ method: 'POST', path: at(project, '/revisions'), body });
  }
}
