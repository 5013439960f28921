import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { copyStream } from '#client';
import { ExitError, type Terminal } from './command/index.ts';

/**
 * Writes a stream to the file that `-o` named, all or nothing, or to stdout. A terminal is refused: archives do it no
 * good. `open` is called once the place to write to is known to be good.
 */
export async function writeOutput(terminal: Terminal, path: string, open: () => Promise<Readable>): Promise<void> {
  if (path === '') {
    if (terminal.stdout.isTTY) {
      throw new ExitError(1, 'cowardly refusing to save to a terminal. Use the -o flag or redirect\n');
    }
    await copyStream(await open(), terminal.stdout);
    return;
  }
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (!folder?.isDirectory()) {
    throw new ExitError(1, `invalid output path: directory ${JSON.stringify(dirname(path))} does not exist\n`);
  }
  const source = await open();
  const draft = `${path}.${process.pid}.part`;
  try {
    await pipeline(source, createWriteStream(draft, { mode: 0o600 }));
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
