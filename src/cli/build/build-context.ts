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

/** What a build's arguments name. */
export type ContextPlace =
  | { readonly kind: 'stdin' }
  | { readonly kind: 'address'; readonly address: string }
  /** `dockerfile` is absolute, undefined where it comes on stdin. */
  | { readonly kind: 'directory'; readonly directory: string; readonly dockerfile: string | undefined };

/** The arguments of a build that say what it is made of. */
export interface ContextArguments {
  /** A directory, `-`, or an address. */
  readonly context: string;
  /** `-f`, relative to `cwd`; it may lie outside the directory, and `-` is stdin. */
  readonly file: string;
  readonly cwd: string;
  readonly stdin: Readable;
}

/** Finds out what a build's arguments mean. Throws `invalid` with Docker's texts. */
export function placeOfContext({ context, file, cwd }: Omit<ContextArguments, 'stdin'>): ContextPlace {
  if (context === '-') {
    if (file === '-') throw invalid("invalid argument: can't use stdin for both build context and dockerfile");
    return { kind: 'stdin' };
  }
  if (/^(https?|git|ssh):\/\/|^git@|^github\.com\//.test(context)) return { kind: 'address', address: context };
  const directory = resolve(cwd, context);
  if (!existsSync(directory)) throw invalid(`unable to prepare context: path ${JSON.stringify(context)} not found`);
  if (!statSync(directory).isDirectory()) {
    throw invalid(`unable to prepare context: context must be a directory: ${directory}`);
  }
  if (file === '-') return { kind: 'directory', directory, dockerfile: undefined };
  const dockerfile = file === '' ? join(directory, 'Dockerfile') : resolve(cwd, file);
  if (!existsSync(dockerfile)) {
    throw invalid(
      `unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat ${dockerfile}: no such file or directory`,
    );
  }
  return { kind: 'directory', directory, dockerfile };
}

/** The context of a build as a tar. Throws `invalid` with Docker's texts. */
export async function readBuildContext(options: ContextArguments): Promise<BuildContext> {
  const { file, stdin } = options;
  const place = placeOfContext(options);
  if (place.kind === 'stdin') return fromStdin(stdin, file);
  if (place.kind === 'address') {
    return { tar: undefined, dockerfile: file || 'Dockerfile', remote: place.address };
  }
  const { directory, dockerfile } = place;
  if (dockerfile === undefined) {
    const tar = contextTar({
      directory,
      ignore: ignoreRules(directory, ''),
      always: new Set(),
      extra: [{ name: outsideName, text: await readAll(stdin) }],
    });
    return { tar, dockerfile: outsideName };
  }
  const inside = relative(directory, dockerfile);
  const ignore = ignoreRules(directory, dockerfile);
  if (inside.startsWith('..') || isAbsolute(inside)) {
    const tar = contextTar({
      directory,
      ignore,
      always: new Set(),
      extra: [{ name: outsideName, text: readFileSync(dockerfile) }],
    });
    return { tar, dockerfile: outsideName };
  }
  const always = new Set([inside, '.dockerignore', `${basename(inside)}.dockerignore`]);
  return { tar: contextTar({ directory, ignore, always }), dockerfile: inside };
}
