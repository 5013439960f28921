import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ContainerCreateResponse, ContainerUpdateResponse } from '#api-types';
import { invalid } from '#base';
import { containerCreateSchema, decodeContainerCreate } from '../../decode/container-create.ts';
import { goObject } from '../../decode/go-json.ts';
import { decodeResources, resourceShape } from '../../decode/resources.ts';
import { decodeRestartPolicy, restartPolicySchema } from '../../decode/restart-policy.ts';
import type { ApiPorts } from '../../ports.ts';
import { readJson } from '../../request/json-body.ts';
import { Query } from '../../request/query.ts';
import { noCheckpoints } from './no-checkpoints.ts';

const updateSchema = goObject({ ...resourceShape, RestartPolicy: restartPolicySchema.optional() });

/** Params of routes on one container. */
export interface ContainerParams {
  Params: { id: string };
}

/** Create, start, stop, restart, kill, pause, unpause, rename, resize, update and remove. */
export function registerContainerLifecycle(app: FastifyInstance, { containers, system }: ApiPorts): void {
  app.post('/containers/create', async (request, reply): Promise<ContainerCreateResponse> => {
    const query = new Query(request);
    const wire = await readJson(request, containerCreateSchema);
    const created = await containers.create(
      decodeContainerCreate(wire, { name: query.nonEmpty('name'), platform: query.nonEmpty('platform') }),
    );
    reply.code(201);
    return { Id: created.id, Warnings: created.warnings };
  });

  app.post<ContainerParams>('/containers/:id/start', async (request, reply) => {
    const query = new Query(request);
    if (query.nonEmpty('checkpoint') !== undefined) throw await noCheckpoints(system);
    const detachKeys = query.nonEmpty('detachKeys');
    await containers.start(request.params.id, detachKeys === undefined ? {} : { detachKeys });
    return noContent(reply);
  });

  app.post<ContainerParams>('/containers/:id/stop', async (request, reply) => {
    await containers.stop(request.params.id, stopOptions(new Query(request)));
    return noContent(reply);
  });

  app.post<ContainerParams>('/containers/:id/restart', async (request, reply) => {
    await containers.restart(request.params.id, stopOptions(new Query(request)));
    return noContent(reply);
  });

  app.post<ContainerParams>('/containers/:id/kill', async (request, reply) => {
    await containers.kill(request.params.id, new Query(request).nonEmpty('signal') ?? 'SIGKILL');
    return noContent(reply);
  });

  app.post<ContainerParams>('/containers/:id/pause', async (request, reply) => {
    await containers.pause(request.params.id);
    return noContent(reply);
  });

  app.post<ContainerParams>('/containers/:id/unpause', async (request, reply) => {
    await containers.unpause(request.params.id);
    return noContent(reply);
  });

  app.post<ContainerParams>('/containers/:id/rename', async (request, reply) => {
    const name = new Query(request).nonEmpty('name');
    if (name === undefined) throw invalid('Neither old nor new names may be empty');
    await containers.rename(request.params.id, name);
    return noContent(reply);
  });

  app.post<ContainerParams>('/containers/:id/resize', async (request, reply) => {
    await containers.resize(request.params.id, terminalSize(new Query(request)));
    return reply.code(200).send();
  });

  app.post<ContainerParams>('/containers/:id/update', async (request): Promise<ContainerUpdateResponse> => {
    const wire = await readJson(request, updateSchema);
    const warnings = await containers.update(request.params.id, {
      resources: decodeResources(wire),
      ...(wire.RestartPolicy?.Name ? { restart: decodeRestartPolicy(wire.RestartPolicy) } : {}),
    });
    return { Warnings: warnings.length > 0 ? warnings : null };
  });

  app.delete<ContainerParams>('/containers/:id', async (request, reply) => {
    const query = new Query(request);
    await containers.remove(request.params.id, {
      force: query.bool('force'),
      volumes: query.bool('v'),
      link: query.bool('link'),
    });
    return noContent(reply);
  });
}

/** Answers 204. */
export function noContent(reply: FastifyReply): FastifyReply {
  return reply.code(204).send();
}

/** `h` and `w` of a resize. Throws `invalid` with Docker's texts. */
export function terminalSize(query: Query): { rows: number; columns: number } {
  const read = (name: string, what: string) => {
    const text = query.text(name) ?? '';
    if (!/^\d+$/.test(text)) throw invalid(`invalid resize ${what} ${JSON.stringify(text)}: invalid syntax`);
    const value = Number(text);
    if (value > 65535) throw invalid(`invalid resize ${what} ${JSON.stringify(text)}: value out of range`);
    return value;
  };
  return { rows: read('h', 'height'), columns: read('w', 'width') };
}

function stopOptions(query: Query): { signal?: string; timeout?: number } {
  const signal = query.nonEmpty('signal');
  const timeout = query.int('t');
  return { ...(signal === undefined ? {} : { signal }), ...(timeout === undefined ? {} : { timeout }) };
}
