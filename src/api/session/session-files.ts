import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { invalid, parseDockerignore } from '#base';
import type { BuildRecipe } from '#builder';
import { type ReceivedFile, receiveFiles, receiveTree } from '#buildkit';
import type { ClientSession } from './client-sessions.ts';

/** Names under which clients offer the directories of a build. */
const directoryNames = { dockerfile: 'dockerfile', context: 'context' };

/** Bytes of Dockerfile and ignore file together. */
const mostRecipeBytes = 16 << 20;

/** What fits into the headers of a call to every client, in patterns and bytes. */
const mostPatterns = 1000;
const mostPatternBytes = 48 << 10;

interface FilesOptions {
  readonly signal: AbortSignal;
  /** Hears how many bytes have come so far. */
  readonly onBytes: (total: number) => void;
}

/** Reads the Dockerfile, and its own ignore file if it has one. Throws `invalid` for one that is not there. */
export async function readRecipe(
  { caller }: ClientSession,
  options: FilesOptions & { readonly dockerfile: string; readonly directory?: string },
): Promise<BuildRecipe> {
  const { dockerfile, directory = directoryNames.dockerfile, signal, onBytes } = options;
  const ignoreFile = `${dockerfile}.dockerignore`;
  const files = await receiveFiles(caller, {
    metadata: { 'dir-name': [directory], followpaths: [dockerfile, ignoreFile, 'dockerfile'] },
    signal,
    onBytes,
    maxBytes: mostRecipeBytes,
  });
  const text = textOf(files, dockerfile) ?? (dockerfile === 'Dockerfile' ? textOf(files, 'dockerfile') : undefined);
  if (text === undefined) {
    throw invalid(`failed to read dockerfile: open ${dockerfile}: no such file or directory`);
  }
  const ignore = textOf(files, ignoreFile);
  return { text, ...(ignore === undefined ? {} : { ignore }) };
}

/** Reads the `.dockerignore` of an offered directory; empty where it has none. */
export async function readIgnoreFile(
  { caller }: ClientSession,
  { directory = directoryNames.context, signal, onBytes }: FilesOptions & { readonly directory?: string },
): Promise<string> {
  const name = '.dockerignore';
  const files = await receiveFiles(caller, {
    metadata: { 'dir-name': [directory], followpaths: [name] },
    signal,
    onBytes,
    maxBytes: mostRecipeBytes,
  });
  return textOf(files, name) ?? '';
}

/**
 * A directory of the client's as a tar, without what `ignore` (the text of a `.dockerignore`) leaves out; with all of it
 * where that says more than a call can carry. Whoever unpacks it applies `ignore` in any case.
 */
export function readDirectory(
  { caller }: ClientSession,
  options: FilesOptions & { readonly directory?: string; readonly ignore: string },
): Readable {
  const excluded = parseDockerignore(options.ignore).map(({ pattern, keep }) => `${keep ? '!' : ''}${pattern}`);
  const fits = excluded.length <= mostPatterns && excluded.join('').length <= mostPatternBytes;
  return receiveTree(caller, {
    metadata: {
      'dir-name': [options.directory ?? directoryNames.context],
      ...(fits && excluded.length > 0 ? { 'exclude-patterns': excluded } : {}),
    },
    signal: options.signal,
    onBytes: options.onBytes,
  });
}

/** The text of a file, which may be a link to another that was received. */
function textOf(files: ReadonlyMap<string, ReceivedFile>, path: string): string | undefined {
  let at = path;
  for (let links = 0; links < 40; links++) {
    const file = files.get(at);
    if (file === undefined) return undefined;
    if ('data' in file) return file.data.toString('utf8');
    at = posix.join(posix.dirname(at), file.linkname);
  }
  throw invalid(`${path}: too many levels of symbolic links`);
}
