import { closeSync, constants, openSync, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { canceled, errnoOf, invalid, notFound } from '#base';
import type { ThreadRoot } from '#host';
import type { LayerLimits } from '../archive.ts';
import { archiveFault, decompress, detectCompression } from '../tar/decompress.ts';
import { TarReader } from '../tar/tar-reader.ts';
import { TreeWriter } from '../tar/tree-writer.ts';
import { LimitSink } from './limit-sink.ts';
import type { TaskContext } from './task.ts';

/** What {@link unpackPath} needs. */
export interface UnpackRequest {
  readonly root: string;
  readonly path: string;
  readonly noOverwriteDirNonDir: boolean;
  /** As in `UnpackOptions`. */
  readonly withBase: boolean;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly limits: LayerLimits;
}

/** Unpacks the archive that the caller sends into the directory `path` inside `root`. */
export async function unpackPath(request: UnpackRequest, root: ThreadRoot, task: TaskContext): Promise<void> {
  const { limits } = request;
  const base = `/${request.path}`.replace(/\/+/g, '/');
  const directory = openSync(request.root, constants.O_RDONLY | constants.O_DIRECTORY);
  const writer = new TreeWriter({
    base,
    strict: false,
    keepBase: !request.withBase,
    noOverwriteDirNonDir: request.noOverwriteDirNonDir,
    owner: request.owner,
  });
  try {
    root.run(directory, () => mustBeDirectory(base, request.path));
    task.ready();
    const reader = new TarReader(new LimitSink(writer, limits));
    let size = 0;
    for await (const chunk of await plainBytes(task.receive())) {
      if (task.signal.aborted) throw canceled(`unpacking into ${request.path} was canceled`);
      size += chunk.length;
      if (size > limits.size) throw invalid(`bad archive: more than ${limits.size} bytes`);
      root.run(directory, () => reader.write(chunk));
    }
    root.run(directory, () => {
      reader.end();
      writer.close();
    });
  } catch (error) {
    throw archiveFault(error);
  } finally {
    writer.abort();
    closeSync(directory);
  }
}

function mustBeDirectory(base: string, path: string): void {
  let stat: ReturnType<typeof statSync> | undefined;
  try {
    stat = statSync(base, { throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) !== 'ELOOP') throw error;
  }
  if (stat === undefined) throw notFound(`${path}: no such directory`);
  if (!stat.isDirectory()) throw invalid(`${path}: extraction point is not a directory`);
}

/** Finds the compression from the first bytes and gives back all of them uncompressed. */
async function plainBytes(source: AsyncIterable<Buffer>): Promise<AsyncIterable<Buffer>> {
  const iterator = source[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 6) {
    const next = await iterator.next();
    if (next.done) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  async function* whole(): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  const compression = detectCompression(head);
  return compression === 'none' ? whole() : decompress(Readable.from(whole(), { objectMode: false }), compression);
}
