import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { conflict } from '#base';
import { type Client, demultiplex } from '#client';
import type { Hook } from '../model/index.ts';

/**
 * Runs a life cycle hook in a running container, waits for it and returns what it wrote. Throws `conflict` when it ends
 * with another code than 0.
 */
export async function runHook(client: Client, container: { id: string; name: string }, hook: Hook): Promise<string> {
  const environment = Object.entries(hook.environment ?? {}).map(([key, value]) =>
    value === null ? key : `${key}=${value}`,
  );
  const { Id } = await client.exec.create(container.id, {
    Cmd: hook.command ?? [],
    AttachStdout: true,
    AttachStderr: true,
    ...(hook.user ? { User: hook.user } : {}),
    ...(hook.working_dir ? { WorkingDir: hook.working_dir } : {}),
    Privileged: hook.privileged ?? false,
    Env: environment.length > 0 ? environment : null,
  });
  const { stream } = await client.exec.attach(Id, {});
  const output = new PassThrough();
  const said = text(output);
  stream.end();
  await demultiplex(stream, { stdout: output, stderr: output });
  output.end();
  const { ExitCode } = await client.exec.inspect(Id);
  if (ExitCode === 0) return said;
  const detail = (await said).trim();
  throw conflict(
    `${container.name}: hook ${JSON.stringify((hook.command ?? []).join(' '))} exited with status code ${ExitCode}${detail === '' ? '' : `: ${detail}`}`,
  );
}
