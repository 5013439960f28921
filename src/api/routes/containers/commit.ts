import type { FastifyInstance } from 'fastify';
import type { IdResponse } from '#api-types';
import { notFound } from '#base';
import { configShape, decodeConfig } from '../../decode/container-config.ts';
import { goObject } from '../../decode/go-json.ts';
import type { ApiPorts } from '../../ports.ts';
import { readOptionalJson } from '../../request/json-body.ts';
import { Query } from '../../request/query.ts';

const commitSchema = goObject(configShape);

/** POST /commit. */
export function registerCommit(app: FastifyInstance, { containers }: ApiPorts): void {
  app.post('/commit', async (request, reply): Promise<IdResponse> => {
    const query = new Query(request);
    const wire = await readOptionalJson(request, commitSchema);
    const container = query.nonEmpty('container');
    if (container === undefined) throw notFound('No such container: ');
    const config = Object.values(wire).some((value) => value !== undefined) ? decodeConfig(wire) : undefined;
    const text = (name: 'repo' | 'tag' | 'author' | 'comment') => {
      const value = query.nonEmpty(name);
      return value === undefined ? {} : { [name]: value };
    };
    const id = await containers.commit(container, {
      ...text('repo'),
      ...text('tag'),
      ...text('author'),
      ...text('comment'),
      pause: query.bool('pause', true),
      changes: query
        .list('changes')
        .flatMap((change) => change.split('\n'))
        .filter((change) => change.trim() !== ''),
      ...(config === undefined ? {} : { config }),
    });
    reply.code(201);
    return { Id: id };
  });
}
