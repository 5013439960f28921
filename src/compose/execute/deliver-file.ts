import { Readable } from 'node:stream';
import { invalid, isBerthError } from '#base';
import type { Client } from '#client';
import type { Project } from '../model/index.ts';
import type { DeliveredFile } from '../plan/index.ts';

function contentOf(file: DeliveredFile, project: Project): string {
  const { object, what } = file;
  if (object.content !== undefined) return object.content;
  if (object.environment !== undefined) {
    const value = project.environment[object.environment];
    if (value !== undefined) return value;
    throw invalid(`environment variable "${object.environment}" required by ${what} "${object.name}" is not set`);
  }
  throw invalid(`${what} "${object.name}" has neither file, content nor environment`);
}

/**
 * Gives a secret or config to a container that has not started: into memory where the engine is Berth, else as a file in
 * the container's layer, as docker compose does. Throws `invalid` when the variable that holds the content is not set.
 */
export async function deliverFile(
  client: Client,
  container: string,
  delivery: { readonly file: DeliveredFile; readonly project: Project },
): Promise<void> {
  const { file, project } = delivery;
  const { uid, gid, mode } = file.reference;
  const place = {
    path: file.path,
    mode: mode === undefined ? 0o444 : Number.parseInt(mode, 8),
    uid: Number(uid ?? 0) || 0,
    gid: Number(gid ?? 0) || 0,
  };
  const content = Buffer.from(contentOf(file, project));
  try {
    await client.containers.putSecret(container, { ...place, content });
  } catch (error) {
    // Only Berth has this call. A container that does not exist is named by the next.
    if (!isBerthError(error, 'not-found')) throw error;
    await upload(client, container, { ...place, content });
  }
}

interface UploadedFile {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly content: Buffer;
}

async function upload(client: Client, container: string, { path, content, ...owner }: UploadedFile): Promise<void> {
  // Few projects have such files: the others need not load it.
  const { pack } = await import('tar-stream');
  const tar = pack();
  tar.entry({ name: path.replace(/^\//, ''), mtime: new Date(), ...owner }, content);
  tar.finalize();
  // The API takes the archive as a stream of bytes; tar-stream's own streams lack parts of Node's interface.
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  const body = Readable.from([Buffer.concat(chunks)]);
  await client.containers.writeArchive(container, { path: '/', tar: body, noOverwriteDirNonDir: true });
}
