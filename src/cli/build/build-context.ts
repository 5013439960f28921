import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, isAbsolute, join, relative, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { IgnoreMatcher, invalid, parseDockerignore } from '#base';
import { contextTar, packReadable } from './context-tar.ts';

/** What is sent to the builder. */
export interface BuildContext {
  /** The tar, undefined where the daemon fetches the context itself. */
  readonly tar: Readable | undefined;
  /** The Dockerfile's path in the tar. */
  readonly dockerfile: string;
  /** Address for the daemon to fetch. */
  readonly remote?: string;
}

/** Name under which a Dockerfile from outside the context travels. */
const outsideName = '.dockerfile.outside';

async function readAll(source: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function isArchive(head: Buffer): boolean {
  const compressed = [
    [0x1f, 0x8b],
    [0x42, 0x5a, 0x68],
    [0xfd, 0x37, 0x7a],
    [0x28, 0xb5, 0x2f],
  ];
  if (compressed.some((magic) => magic.every((byte, index) => head[index] === byte))) return true;
  return head.subarray(257, 262).toString() === 'ustar';
}

/** The context on stdin: a tar, or the text of a Dockerfile and nothing else. */
async function fromStdin(stdin: Readable, file: string): Promise<BuildContext> {
  const chunks: Buffer[] = [];
  let size = 0;
  const iterator = stdin[Symbol.asyncIterator]();
  while (size < 512) {
    const { value, done } = await iterator.next();
    if (done) break;
    chunks.push(value);
    size += value.length;
  }
  const head = Buffer.concat(chunks);
  const { Readable: ReadableClass } = await import('node:stream');
  const rest = async function* (): AsyncGenerator<Buffer> {
    yield head;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  };
  if (isArchive(head)) return { tar: ReadableClass.from(rest()), dockerfile: file || 'Dockerfile' };
  const text: Buffer[] = [];
  for await (const chunk of rest()) text.push(chunk);
  const tar = pack();
  tar.entry({ name: 'Dockerfile' }, Buffer.concat(text));
  tar.finalize();
  return { tar: packReadable(tar), dockerfile: 'Dockerfile' };
}

function ignoreRules(directory: string, dockerfile: string): IgnoreMatcher {
  const own = `${dockerfile}.dockerignore`;
  const path = existsSync(own) ? own : join(directory, '.dockerignore');
  return new IgnoreMatcher(parseDockerignore(existsSync(path) ? readFileSync(path, 'utf8') : ''));
}

/**
 * Finds out what a build's arguments mean: a directory, `-`, or an address. Throws `invalid` with Docker's texts.
 * `file` is `-f`, relative to `cwd`; it may lie outside the directory, and `-` is stdin.
 */
export async function readBuildContext(options: {
  context: string;
  file: string;
  cwd: string;
  stdin: Readable;
}): Promise<BuildContext> {
  const { context, file, cwd, stdin } = options;
  if (context === '-') {
    if (file === '-') throw invalid("invalid argument: can't use stdin for both build context and dockerfile");
    return fromStdin(stdin, file);
  }
  if (/^(https?|git|ssh):\/\/|^git@|^github\.com\//.test(context)) {
    return { tar: undefined, dockerfile: file || 'Dockerfile', remote: context };
  }
  const directory = resolve(cwd, context);
  if (!existsSync(directory)) throw invalid(`unable to prepare context: path ${JSON.stringify(context)} not found`);
  if (!statSync(directory).isDirectory()) {
    throw invalid(`unable to prepare context: context must be a directory: ${directory}`);
  }
  if (file === '-') {
    const text = await readAll(stdin);
    const tar = contextTar({
      directory,
      ignore: ignoreRules(directory, ''),
      always: new Set(),
      extra: [{ name: outsideName, text }],
    });
    return { tar, dockerfile: outsideName };
  }
  const path = file === '' ? join(directory, 'Dockerfile') : resolve(cwd, file);
  if (!existsSync(path)) {
    throw invalid(
      `unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat ${path}: no such file or directory`,
    );
  }
  const inside = relative(directory, path);
  const ignore = ignoreRules(directory, path);
  if (inside.startsWith('..') || isAbsolute(inside)) {
    const tar = contextTar({
      directory,
      ignore,
      always: new Set(),
      extra: [{ name: outsideName, text: readFileSync(path) }],
    });
    return { tar, dockerfile: outsideName };
  }
  const always = new Set([inside, '.dockerignore', `${basename(inside)}.dockerignore`]);
  return { tar: contextTar({ directory, ignore, always }), dockerfile: inside };
}
