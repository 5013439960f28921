import type { Digest } from '#base';
import type { Builder } from '#builder';
import { sendTree, sessionMethods } from '#buildkit';
import type { ClientSession } from './client-sessions.ts';

/** Largest piece that is sent at a time, in bytes; gRPC peers take 4 MiB at most by default. */
const pieceBytes = 1 << 20;

/** What a client takes of an image, and what the sending ends with. */
export interface FilesForClient {
  readonly builder: Pick<Builder, 'readFiles'>;
  readonly session: ClientSession;
  readonly image: Digest;
  readonly signal: AbortSignal;
  /** Hears how many bytes have been sent, where they are counted. */
  readonly onBytes: (total: number) => void;
}

/** Which of several outputs is meant; there is one. */
const metadata = { 'buildkit-attachable-exporter-id': ['0'] };

/** Sends the files of an image to the client, which lays them into the directory that it asked for. */
export function sendFiles({ builder, session, image, signal }: FilesForClient): Promise<void> {
  return builder.readFiles(image, async ({ directory }) => {
    const stream = session.caller.open(sessionMethods.takeFiles, { metadata, signal });
    await sendTree(stream, { directory, include: [], exclude: [], follow: [] }, signal);
    stream.end();
    await drained(stream.received);
  });
}

/** Sends the files of an image to the client as a tar, which goes where it asked for. */
export function sendArchive({ builder, session, image, signal, onBytes }: FilesForClient): Promise<void> {
  return builder.readFiles(image, async ({ tar }) => {
    const stream = session.caller.open(sessionMethods.takeArchive, { metadata, signal });
    let total = 0;
    for await (const chunk of (await tar(signal)) as AsyncIterable<Buffer>) {
      for (let offset = 0; offset < chunk.length; offset += pieceBytes) {
        await stream.send({ data: chunk.subarray(offset, offset + pieceBytes) });
      }
      total += chunk.length;
      onBytes(total);
    }
    stream.end();
    await drained(stream.received);
  });
}

/** Waits until the other end has ended well. */
async function drained(received: AsyncIterable<unknown>): Promise<void> {
  const messages = received[Symbol.asyncIterator]();
  while (!(await messages.next()).done);
}
