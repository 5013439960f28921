import { Readable } from 'node:stream';
import { invalid } from '#base';
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
 * Uploads a secret or config into a container that has not started. Throws `invalid` when the variable that holds the
 * content is not set.
 */
export async function deliverFile(
  client: Client,
  container: string,
  delivery: { readonly file: DeliveredFile; readonly project: Project },
): Promise<void> {
  const { file, project } = delivery;
  const { uid, gid, mode } = file.reference;
  const header = {
    name: file.path.replace(/^\//, ''),
    mode: mode === undefined ? 0o444 : Number.parseInt(mode, 8),
    uid: Number(uid ?? 0) || 0,
    gid: Number(gid ?? 0) || 0,
    mtime: new Date(),
  };
  // Few projects have such files: the others need not load it.
  const { pack } = await import('tar-stream');
  const tar = pack();
  tar.entry(header, Buffer.from(contentOf(file, project)));
  tar.finalize();
  // The API takes the archive as a stream of bytes; tar-stream's own streams lack parts of Node's interface.
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  const body = Readable.from([Buffer.concat(chunks)]);
  await client.containers.writeArchive(container, { path: '/', tar: body, noOverwriteDirNonDir: true });
}
