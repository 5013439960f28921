import type { FastifyInstance } from 'fastify';
import { invalid } from '#base';
import type { ApiPorts } from '../ports.ts';
import { clientGone } from '../request/context.ts';
import { Query } from '../request/query.ts';
import { ProgressStream } from '../stream/progress.ts';

/**
 * POST /berth/bootstrap?name=debian:bookworm-slim&include=a,b&suite=s: makes a base image of distribution packages. The
 * answer is a progress stream: `{stream}` for the tools' output, then `{aux: {ID}}` and the image's name.
 */
export function registerBootstrap(app: FastifyInstance, { bootstrap }: ApiPorts): void {
  if (bootstrap === undefined) return;
  app.post('/berth/bootstrap', async (request, reply) => {
    const query = new Query(request);
    const name = query.nonEmpty('name');
    if (name === undefined) throw invalid('give the name of the image to make: name=debian:bookworm-slim');
    const include = query.list('include').flatMap((names) => names.split(',').filter((one) => one !== ''));
    const suite = query.nonEmpty('suite');
    const signal = clientGone(reply);
    const stream = new ProgressStream(reply);
    await stream.run(async () => {
      const image = await bootstrap.make(
        { name, include, ...(suite === undefined ? {} : { suite }) },
        { signal, onLine: (line) => stream.send({ stream: `${line}\n` }) },
      );
      stream.send({ progressDetail: {}, aux: { ID: image.id } });
      stream.send({ stream: `Made ${name} (${image.id})\n` });
    });
    return reply;
  });
}
