import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { IdResponse } from '#api-types';
import { notFound } from '#base';
import type { ContainerRequest } from '#engine';
import { configShape } from '../../decode/container-create.ts';
import { goObject } from '../../decode/go-json.ts';
import { decodeHealthcheck } from '../../decode/healthcheck.ts';
import { decodeExposedPorts } from '../../decode/ports.ts';
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
    const config = decodeCommitConfig(wire);
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

/** The parts of a container's config that were sent; undefined where nothing was. */
function decodeCommitConfig(wire: z.output<typeof commitSchema>): Partial<ContainerRequest> | undefined {
  if (Object.values(wire).every((value) => value === undefined)) return undefined;
  return {
    process: {
      entrypoint: wire.Entrypoint,
      cmd: wire.Cmd,
      env: wire.Env ?? [],
      workingDir: wire.WorkingDir ?? '',
      user: wire.User ?? '',
      tty: wire.Tty ?? false,
      openStdin: wire.OpenStdin ?? false,
      stdinOnce: wire.StdinOnce ?? false,
      attachStdin: wire.AttachStdin ?? false,
      attachStdout: wire.AttachStdout ?? false,
      attachStderr: wire.AttachStderr ?? false,
      stopSignal: wire.StopSignal ?? '',
      ...(wire.Shell === undefined ? {} : { shell: wire.Shell }),
    },
    ...(wire.Labels === undefined ? {} : { labels: wire.Labels }),
    ...(wire.ExposedPorts === undefined ? {} : { exposedPorts: decodeExposedPorts(wire.ExposedPorts) }),
    ...(wire.Volumes === undefined ? {} : { volumes: Object.keys(wire.Volumes) }),
    ...(wire.Healthcheck === undefined ? {} : { healthcheck: decodeHealthcheck(wire.Healthcheck) }),
    ...(wire.OnBuild === undefined ? {} : { onBuild: wire.OnBuild }),
  };
}
