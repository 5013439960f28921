import { Readable } from 'node:stream';
import { sessionMethods } from '#buildkit';
import type { ClientSession } from './client-sessions.ts';

/** The bytes of an archive that a client holds for its build (`docker buildx build -`), asked for by the URL it named. */
export function uploadedArchive({ caller }: ClientSession, url: URL, signal: AbortSignal): Readable {
  const stream = caller.open(sessionMethods.pullUpload, {
    metadata: { urlpath: [url.pathname], urlhost: [url.host] },
    signal,
  });
  stream.end();
  const bytes = async function* () {
    for await (const { data } of stream.received) yield data;
  };
  return Readable.from(bytes(), { objectMode: false });
}
