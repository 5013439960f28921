import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { invalid, isDigest, messageOf, unavailable } from '#base';

/**
 * Downloads `url` into a new directory below `directory` and returns the file's path there. Its name is the address's
 * last part, its mode 0600, its time the server's Last-Modified or the epoch. Throws `invalid` when the address names no
 * file or `checksum` differs, `unavailable` when the server does not deliver.
 */
export async function fetchFile(
  url: string,
  directory: string,
  options: { checksum: string | undefined; name: string; signal: AbortSignal },
): Promise<{ root: string; path: string }> {
  const { checksum, signal } = options;
  if (checksum !== undefined && !isDigest(checksum)) {
    throw invalid(`invalid checksum "${checksum}": want sha256: and 64 hex digits`);
  }
  const path = basename(decodeURIComponent(new URL(url).pathname)) || options.name;
  if (path === '' || path === '.' || path === '..') throw invalid(`cannot determine filename for source ${url}`);
  await mkdir(directory, { recursive: true });
  const response = await fetch(url, { signal, redirect: 'follow' }).catch((error: unknown) => {
    throw unavailable(`ADD failed: cannot fetch ${url}: ${causeOf(error)}`, { cause: error });
  });
  if (!response.ok || response.body === null) {
    throw unavailable(`ADD failed: ${url} answered ${response.status} ${response.statusText}`);
  }
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const file = join(directory, path);
  await pipeline(Readable.fromWeb(response.body), hashing, createWriteStream(file, { mode: 0o600, flags: 'wx' }), {
    signal,
  });
  const digest = `sha256:${hash.digest('hex')}`;
  if (checksum !== undefined && digest !== checksum) {
    throw invalid(`digest mismatch ${digest}: ${checksum} (${url})`, {
      details: { expected: checksum, found: digest },
    });
  }
  const modified = Date.parse(response.headers.get('last-modified') ?? '');
  const time = Number.isNaN(modified) ? new Date(0) : new Date(modified);
  await utimes(file, time, time);
  return { root: directory, path };
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return messageOf(cause ?? error);
}
