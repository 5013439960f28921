import type { FastifyInstance } from 'fastify';
import { invalid } from '#base';
import { secretSpace } from '#engine';
import type { ApiPorts } from '../../ports.ts';
import { Query } from '../../request/query.ts';
import { readBytes } from '../../request/read-bytes.ts';
import { type ContainerParams, noContent } from './lifecycle.ts';

/**
 * Berth's own call PUT /berth/containers/ID/secrets?path=/run/secrets/x&mode=400&uid=0&gid=0 with the content as body:
 * a file that the container sees and that is nowhere else but in memory. Mode in octal, 444 when not given.
 */
export function registerContainerSecrets(app: FastifyInstance, { containers }: ApiPorts): void {
  app.put<ContainerParams>('/berth/containers/:id/secrets', async (request, reply) => {
    const query = new Query(request);
    const path = query.nonEmpty('path');
    if (path === undefined) throw invalid('where is the secret to be seen? Give path=/run/secrets/NAME');
    const mode = query.nonEmpty('mode') ?? '444';
    if (!/^[0-7]+$/.test(mode)) throw invalid(`invalid mode ${JSON.stringify(mode)}: give octal digits, such as 400`);
    const content = await readBytes(request, { most: secretSpace, what: 'a secret' });
    const place = { path, mode: Number.parseInt(mode, 8), uid: query.int('uid') ?? 0, gid: query.int('gid') ?? 0 };
    await containers.putSecret(request.params.id, place, content);
    return noContent(reply);
  });
}
