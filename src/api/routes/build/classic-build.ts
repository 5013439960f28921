import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ProgressMessage } from '#api-types';
import { shortId } from '#base';
import type { ApiPorts } from '../../ports.ts';
import { clientGone } from '../../request/context.ts';
import { Query } from '../../request/query.ts';
import { ClassicBuildOutput } from '../../stream/build-output.ts';
import { ProgressStream } from '../../stream/progress.ts';
import { buildOptions, givenContext } from './build-options.ts';

/** A build as the classic builder has it: its context in the request, its steps as lines of text. */
export async function classicBuild(
  ports: ApiPorts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const query = new Query(request);
  const signal = clientGone(reply);
  const quiet = query.bool('q');
  const stream = new ProgressStream(reply);
  const options = buildOptions(query, request);
  const given = query.nonEmpty('remote');
  const remote = given === 'client-session' ? undefined : given;
  await stream.run(async () => {
    const unsaid: ProgressMessage[] = [];
    const output = new ClassicBuildOutput((message) => (quiet ? unsaid.push(message) : stream.send(message)));
    const context = await givenContext(ports, { request, remote, signal });
    const { imageId } = await ports.builder
      .build({ ...options, context, signal, onEvent: output.onEvent })
      .catch((error: unknown) => {
        // A quiet build that fails says after all how far it came.
        for (const message of unsaid) stream.send(message);
        throw error;
      });
    if (quiet) {
      stream.send({ stream: `${imageId}\n` });
      return;
    }
    stream.send({ aux: { ID: imageId } });
    stream.send({ stream: `Successfully built ${shortId(imageId)}\n` });
    for (const tag of options.tags) stream.send({ stream: `Successfully tagged ${tag}\n` });
  });
  return reply;
}
