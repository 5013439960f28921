import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { IdResponse } from '#api-types';
import { internal, invalid } from '#base';
import { bool, command, goObject, strings, text } from '../decode/go-json.ts';
import { encodeExec } from '../encode/exec.ts';
import type { ApiPorts } from '../ports.ts';
import { requestedDetachKeys } from '../request/detach-keys.ts';
import { readJson, readOptionalJson } from '../request/json-body.ts';
import { Query } from '../request/query.ts';
import { runAttachSession } from '../stream/attach-session.ts';
import { takeOver } from '../stream/hijack.ts';
import { type ContainerParams, terminalSize } from './containers/lifecycle.ts';

const consoleSize = z.array(z.number().int().nonnegative()).optional();

const createSchema = goObject({
  Cmd: command,
  AttachStdin: bool,
  AttachStdout: bool,
  AttachStderr: bool,
  Tty: bool,
  Privileged: bool,
  User: text,
  WorkingDir: text,
  Env: strings,
  DetachKeys: text,
  ConsoleSize: consoleSize,
});
const startSchema = goObject({ Detach: bool, Tty: bool, ConsoleSize: consoleSize });

/** Exec create, start, resize and inspect. */
export function registerExec(app: FastifyInstance, { execs }: ApiPorts): void {
  app.post<ContainerParams>('/containers/:id/exec', async (request, reply): Promise<IdResponse> => {
    const wire = await readJson(request, createSchema);
    if (!wire.Cmd || wire.Cmd.length === 0) throw invalid('No exec command specified');
    if (wire.DetachKeys) requestedDetachKeys(wire.DetachKeys);
    const id = await execs.create({
      container: request.params.id,
      cmd: wire.Cmd,
      env: wire.Env ?? [],
      workingDir: wire.WorkingDir ?? '',
      user: wire.User ?? '',
      privileged: wire.Privileged ?? false,
      tty: wire.Tty ?? false,
      attachStdin: wire.AttachStdin ?? false,
      attachStdout: wire.AttachStdout ?? false,
      attachStderr: wire.AttachStderr ?? false,
      ...(wire.DetachKeys ? { detachKeys: wire.DetachKeys } : {}),
      ...sizeOf(wire.ConsoleSize),
    });
    reply.code(201);
    return { Id: id };
  });

  app.post<ContainerParams>('/exec/:id/start', async (request, reply) => {
    const wire = await readOptionalJson(request, startSchema);
    const { id, request: exec } = await execs.get(request.params.id);
    const detach = wire.Detach ?? false;
    if (!detach && request.headers.upgrade === undefined) {
      const refusal = await refusedStart(execs, id);
      if (refusal) return reply.type('application/vnd.docker.raw-stream').send(refusal);
    }
    const attachment = await execs.start(id, { detach, tty: wire.Tty ?? exec.tty, ...sizeOf(wire.ConsoleSize) });
    if (detach) return reply.code(200).send();
    if (attachment === undefined) throw internal(`exec ${id} started without a connection`);
    const headers = Object.fromEntries(
      Object.entries(reply.getHeaders()).map(([name, value]) => [canonical(name), String(value)]),
    );
    const connection = takeOver(request, reply, { tty: exec.tty, headers });
    await runAttachSession(connection, attachment, {
      tty: exec.tty,
      stdin: exec.attachStdin,
      stdout: exec.attachStdout,
      stderr: exec.attachStderr,
      detachKeys: requestedDetachKeys(exec.detachKeys),
    });
    return reply;
  });

  app.post<ContainerParams>('/exec/:id/resize', async (request, reply) => {
    await execs.resize(request.params.id, terminalSize(new Query(request)));
    return reply.code(200).send();
  });

  app.get<ContainerParams>('/exec/:id/json', async (request) => encodeExec(await execs.get(request.params.id)));
}

/**
 * What a client is told that starts an exec a second time: dockerd says it on the stream that the start would have
 * opened, with status 200. docker compose does so with each exec that it has attached to, and takes an error for a
 * failure. Undefined for an exec that has not been started.
 */
async function refusedStart(execs: ApiPorts['execs'], id: string): Promise<Buffer | undefined> {
  const { running, exitCode } = await execs.get(id);
  if (!running && exitCode === null) return undefined;
  const text = Buffer.from(`exec command ${id} ${running ? 'is already running' : 'has already run'}\r\n`);
  const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(text.length, 4);
  return Buffer.concat([header, text]);
}

function sizeOf(wire: readonly number[] | undefined): { consoleSize?: [number, number] } {
  const [rows, columns] = wire ?? [];
  return rows === undefined || columns === undefined || (rows === 0 && columns === 0)
    ? {}
    : { consoleSize: [rows, columns] };
}

/** `api-version` to `Api-Version`. */
function canonical(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (part) => part.toUpperCase());
}
