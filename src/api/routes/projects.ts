import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ProjectLog, ProjectRevision, ProjectRevisionCreated, ProjectTurnMessage } from '#api-types';
import { invalid } from '#base';
import type { Revision } from '#engine';
import { encodeActor } from '../encode/actor.ts';
import { formatTime } from '../encode/time.ts';
import type { ApiPorts } from '../ports.ts';
import { clientGone } from '../request/context.ts';
import { readJson } from '../request/json-body.ts';
import { Query } from '../request/query.ts';
import { startStream } from '../stream/lines.ts';
import { logQuery, sendLog } from './containers/logs.ts';

interface ProjectParams {
  Params: { name: string };
}

interface RevisionParams {
  Params: { name: string; number: string };
}

interface LogParams {
  Params: { name: string; id: string };
}

const texts = z.record(z.string(), z.string());
const revisionSchema = z.object({ User: z.string().max(255), Images: texts, Changes: texts, Document: z.unknown() });

/**
 * Berth's own calls on Compose projects: GET and POST /berth/projects/NAME/revisions (newest first, without documents),
 * GET /berth/projects/NAME/revisions/NUMBER (with its document), GET /berth/projects/NAME/logs (earlier containers),
 * POST /berth/projects/NAME/turn?by=TEXT&ends=BOOL (a line of JSON for each thing that is told; the turn ends with the
 * connection), GET /berth/projects/NAME/logs/ID (with the query of GET /containers/ID/logs, without `follow`).
 */
export function registerProjects(app: FastifyInstance, { history, projectLogs, turns }: ApiPorts): void {
  app.get<ProjectParams>('/berth/projects/:name/revisions', async (request): Promise<ProjectRevision[]> => {
    const revisions = await history.list(request.params.name);
    return revisions.map(encode);
  });

  app.post<ProjectParams>('/berth/projects/:name/revisions', async (request): Promise<ProjectRevisionCreated> => {
    const { name } = request.params;
    checkName(name);
    const {
      User: user,
      Images: images,
      Changes: changes,
      Document: document,
    } = await readJson(request, revisionSchema);
    return { Number: await history.add(name, { user, images, changes, document }) };
  });

  app.post<ProjectParams>('/berth/projects/:name/turn', (request, reply) => {
    const { name } = request.params;
    checkName(name);
    const query = new Query(request);
    const by = (query.nonEmpty('by') ?? 'another client').slice(0, longestBy);
    const ends = query.bool('ends');
    const { push, signal } = startStream(reply, 'application/json');
    const tell = (message: ProjectTurnMessage): void => push(`${JSON.stringify(message)}\n`);
    turns.take(name, {
      by,
      ends,
      waiting: (holder) => tell({ WaitsFor: holder }),
      granted: () => tell({ Granted: true }),
      asked: (other) => tell({ EndsFor: other }),
      signal,
    });
  });

  app.get<RevisionParams>('/berth/projects/:name/revisions/:number', async (request): Promise<ProjectRevision> => {
    const { name, number } = request.params;
    if (!/^\d{1,9}$/.test(number)) throw invalid(`invalid revision ${JSON.stringify(number)}: give its number`);
    const revision = await history.get(name, Number(number));
    return { ...encode(revision), Document: revision.document };
  });

  app.get<ProjectParams>('/berth/projects/:name/logs', async (request): Promise<ProjectLog[]> => {
    const logs = await projectLogs.list(request.params.name);
    return logs.map(({ id, name, service, number, tty, createdAt, removedAt, bytes }) => ({
      ID: id,
      Name: name,
      Service: service,
      Number: number,
      Tty: tty,
      Created: formatTime(createdAt),
      Removed: formatTime(removedAt),
      Size: bytes,
    }));
  });

  app.get<LogParams>('/berth/projects/:name/logs/:id', async (request, reply) => {
    const { name, id } = request.params;
    const { follow: _, ...query } = logQuery(new Query(request));
    const log = (await projectLogs.list(name)).find((kept) => kept.id === id);
    const lines = await projectLogs.read(name, id, { ...query, signal: clientGone(reply) });
    return await sendLog(request, reply, { lines, tty: log?.tty ?? false });
  });
}

/** Characters of what a client says of itself that others are told. */
const longestBy = 255;

function checkName(name: string): void {
  if (!/^[a-z0-9][a-z0-9_-]*$/.test(name)) throw invalid(`invalid project name ${JSON.stringify(name)}`);
}

function encode({ number, at, actor, user, images, changes }: Revision): ProjectRevision {
  return {
    Number: number,
    Time: formatTime(at),
    Actor: encodeActor(actor),
    User: user,
    Images: images,
    Changes: changes,
  };
}
