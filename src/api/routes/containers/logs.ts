import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { streamTypes } from '#api-types';
import { invalid } from '#base';
import type { Container } from '#engine';
import type { LogLine } from '#runtime';
import { formatLogTime } from '../../encode/log-time.ts';
import type { ApiPorts } from '../../ports.ts';
import { clientGone, clientOlderThan } from '../../request/context.ts';
import { parseTimestamp, Query } from '../../request/query.ts';
import { startStream } from '../../stream/lines.ts';
import { encodeLogBatch } from '../../stream/log-batch.ts';
import type { ContainerParams } from './lifecycle.ts';

/** GET /containers/{id}/logs. */
export function registerContainerLogs(app: FastifyInstance, { containers }: ApiPorts): void {
  app.get<ContainerParams>('/containers/:id/logs', async (request, reply) => {
    const query = new Query(request);
    const wanted = logQuery(query);
    const container = await containers.get(request.params.id);
    const lines = await containers.logs(container.id, { ...wanted, signal: clientGone(reply) });
    const details = query.bool('details') ? detailsOf(container) : undefined;
    return await sendLog(request, reply, { lines, tty: container.process.tty, details });
  });
}

/** Answers with lines as they come, as Docker does: framed unless it is a terminal's output. */
export async function sendLog(
  request: FastifyRequest,
  reply: FastifyReply,
  log: { lines: AsyncIterable<readonly LogLine[]>; tty: boolean; details?: string | undefined },
): Promise<FastifyReply> {
  const { lines, tty, details } = log;
  const query = new Query(request);
  const multiplexed = !tty && !clientOlderThan(request, '1.42');
  const writer = startStream(reply, multiplexed ? streamTypes.multiplexed : streamTypes.raw);
  const prefixOf = linePrefix({ timestamps: query.bool('timestamps'), details });
  try {
    for await (const batch of lines) {
      if (writer.signal.aborted) break;
      await writer.write(encodeLogBatch(batch, { tty, prefixOf }));
    }
  } catch (error) {
    if (!writer.signal.aborted) request.log.error(error);
  }
  writer.end();
  return reply;
}

/** Which lines are asked for. Throws `invalid` with Docker's texts. */
export function logQuery(query: Query): Parameters<ApiPorts['containers']['logs']>[1] {
  const wanted = { stdout: query.bool('stdout'), stderr: query.bool('stderr') };
  if (!wanted.stdout && !wanted.stderr) throw invalid('Bad parameters: you must choose at least one stream');
  // No time at all is what `0` means here.
  const since = parseTimestamp(query.text('since')) || undefined;
  const until = parseTimestamp(query.text('until')) || undefined;
  const tail = query.text('tail');
  return {
    ...wanted,
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    // Docker takes anything that is no count for "all".
    ...(tail !== undefined && /^\d+$/.test(tail) ? { tail: Number(tail) } : {}),
    follow: query.bool('follow'),
  };
}

const noBytes = Buffer.alloc(0);

/** What goes before each line: its time, and the labels and variables that the log options name; undefined for nothing. */
function linePrefix(options: {
  timestamps: boolean;
  details: string | undefined;
}): ((line: LogLine) => Buffer) | undefined {
  if (!options.timestamps && options.details === undefined) return undefined;
  const details = options.details === undefined ? '' : `${options.details} `;
  // The streams come interleaved, so a piece of a line continues the last piece of its own stream.
  const continued = { stdout: false, stderr: false };
  return (line) => {
    const first = !continued[line.stream];
    continued[line.stream] = line.partial;
    if (!first) return noBytes;
    return Buffer.from(`${options.timestamps ? `${formatLogTime(line.time)} ` : ''}${details}`);
  };
}

function detailsOf(container: Container): string {
  const { options } = container.host.log;
  const pick = (names: string | undefined, from: Readonly<Record<string, string>>) =>
    (names ?? '').split(',').flatMap((name) => (name in from ? [[name, from[name] ?? '']] : []));
  const env = Object.fromEntries(
    container.process.env.map((entry) => {
      const at = entry.indexOf('=');
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
  return [...pick(options.labels, container.labels), ...pick(options.env, env)]
    .map(([name = '', value = '']) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join(',');
}
