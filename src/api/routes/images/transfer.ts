import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { invalid, notImplemented } from '#base';
import { familiarString, parsePlatform, parseReference } from '#oci';
import { decodeChanges } from '../../decode/changes.ts';
import type { ApiPorts } from '../../ports.ts';
import { bodyOf, clientGone } from '../../request/context.ts';
import { Query } from '../../request/query.ts';
import { registryAuth } from '../../request/registry-auth.ts';
import { ProgressStream } from '../../stream/progress.ts';
import type { ImageParams } from './list.ts';

/** Pull, import, push, load and save. */
export function registerImageTransfer(app: FastifyInstance, ports: ApiPorts): void {
  const { images } = ports;

  app.post('/images/create', async (request, reply) => {
    const query = new Query(request);
    const source = query.nonEmpty('fromSrc');
    if (source !== undefined) return importImage(ports, { request, reply, source });
    return pullImage(ports, request, reply);
  });

  app.post<ImageParams>('/images/:name/push', async (request, reply) => {
    const tag = new Query(request).nonEmpty('tag');
    const credentials = registryAuth(request);
    const name = tag === undefined ? request.params.name : `${request.params.name}:${tag}`;
    const signal = clientGone(reply);
    const stream = new ProgressStream(reply);
    await stream.run(async () => {
      await images.push(name, {
        allTags: parseReference(name).tag === undefined,
        onProgress: stream.onProgress,
        signal,
        ...(credentials ? { credentials } : {}),
      });
    });
    return reply;
  });

  app.post('/images/load', async (request, reply) => {
    const query = new Query(request);
    const quiet = query.bool('quiet', true);
    const platform = platformOf(query);
    const signal = clientGone(reply);
    const stream = new ProgressStream(reply);
    await stream.run(async () => {
      const loaded = await images.load(bodyOf(request), {
        onProgress: quiet ? () => undefined : stream.onProgress,
        ...platform,
        signal,
      });
      for (const { image, tags } of loaded) {
        const names = tags.map((tag) => `Loaded image: ${familiarString(parseReference(tag))}\n`);
        for (const line of names.length > 0 ? names : [`Loaded image ID: ${image.id}\n`]) stream.send({ stream: line });
      }
    });
    return reply;
  });

  app.get('/images/get', async (request, reply) => {
    const names = new Query(request).list('names').flatMap((name) => name.split(','));
    return sendArchive(reply, await images.save(names, saveOptions(request, reply)));
  });

  app.get<ImageParams>('/images/:name/get', async (request, reply) =>
    sendArchive(reply, await images.save([request.params.name], saveOptions(request, reply))),
  );
}

function saveOptions(request: FastifyRequest, reply: FastifyReply) {
  return { ...platformOf(new Query(request)), signal: clientGone(reply) };
}

function sendArchive(reply: FastifyReply, archive: Readable): FastifyReply {
  return reply.type('application/x-tar').send(archive);
}

/** The platform asked for: `os/arch`, or an OCI platform as JSON. */
function platformOf(query: Query) {
  const text = query.nonEmpty('platform');
  if (text === undefined) return {};
  if (!text.startsWith('{')) return { platform: parsePlatform(text) };
  try {
    const { os, architecture, variant }: Record<string, unknown> = JSON.parse(text);
    return { platform: parsePlatform([os, architecture, variant].filter(Boolean).join('/')) };
  } catch {
    throw invalid(`${text} is an invalid platform: want os/arch or a JSON object`);
  }
}

async function pullImage({ images }: ApiPorts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const query = new Query(request);
  const image = query.nonEmpty('fromImage');
  if (image === undefined) throw invalid('nothing to pull: give fromImage=NAME, or fromSrc to import');
  const tag = query.nonEmpty('tag');
  const separator = tag?.startsWith('sha256:') ? '@' : ':';
  const name = tag === undefined ? image : `${image}${separator}${tag}`;
  const reference = parseReference(name);
  const credentials = registryAuth(request);
  const signal = clientGone(reply);
  const stream = new ProgressStream(reply);
  await stream.run(async () => {
    const options = {
      ...platformOf(query),
      allTags: reference.tag === undefined && reference.digest === undefined,
      onProgress: stream.onProgress,
      signal,
      ...(credentials ? { credentials } : {}),
    };
    await images.pull(familiarString(reference), options);
  });
  return reply;
}

async function importImage(
  { images, registry }: ApiPorts,
  { request, reply, source }: { request: FastifyRequest; reply: FastifyReply; source: string },
): Promise<FastifyReply> {
  const query = new Query(request);
  const signal = clientGone(reply);
  if (source !== '-' && registry?.download === undefined) {
    throw notImplemented(`import from ${source}: fetching from a URL is not available; send the tar with fromSrc=-`);
  }
  const repo = query.nonEmpty('repo');
  const tag = query.nonEmpty('tag');
  const target = repo === undefined ? undefined : tag === undefined ? repo : `${repo}:${tag}`;
  if (target !== undefined) parseReference(target);
  const config = decodeChanges(query.list('changes'));
  const message = query.nonEmpty('message');
  const stream = new ProgressStream(reply);
  await stream.run(async () => {
    const archive = source === '-' ? bodyOf(request) : await registry?.download?.(source, signal);
    if (archive === undefined) throw notImplemented(`import from ${source} is not available`);
    const image = await images.import(archive, {
      ...(target === undefined ? {} : { target }),
      ...(message === undefined ? {} : { message }),
      ...platformOf(query),
      config,
      signal,
    });
    stream.send({ status: image.id });
  });
  return reply;
}
