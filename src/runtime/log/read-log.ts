import { watch } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { LogLine, LogQuery } from '../runtime.ts';
import { openIfThere, openLogFiles, rotatedPath } from './log-files.ts';
import { LineParser } from './parse-lines.ts';

// The lines of a batch must be gone before the young generation (2 MiB) is full: those that outlive it cost much more.
const chunkSize = 128 * 1024;
const tailBlock = 128 * 1024;

/**
 * Reads a container's log, rotated files first, in batches of lines (a batch per chunk of the file: an iteration per line
 * would cost more than the parsing). `tail` counts all lines, as Docker does, before stream and time choose among them.
 * A log that does not exist is empty. With `follow` it goes on, across rotations, as `LogQuery` says. Ends quietly
 * when the query's signal aborts.
 */
export async function* readLog(path: string, query: LogQuery): AsyncGenerator<readonly LogLine[]> {
  const change = query.follow ? watchLog(path) : undefined;
  const files = await openLogFiles(path);
  try {
    const parser = new LineParser(query);
    const from = await tailStart(files, query.tail);
    let position = 0;
    for (const [index, file] of files.entries()) {
      if (index < from.file) continue;
      const reader = readFile(file, index === from.file ? from.offset : 0, { parser, query });
      position = yield* reader;
      if (parser.finished || query.signal?.aborted) return;
    }
    if (change && query.follow) yield* follow(path, { files, position, parser, query, change });
  } finally {
    change?.close();
    for (const file of files) await file.close();
  }
}

interface ReadState {
  readonly parser: LineParser;
  readonly query: LogQuery;
}

/** Reads whole lines from `position` to the end of the file as it is now; returns where the next line begins. */
async function* readFile(
  file: FileHandle,
  position: number,
  { parser, query }: ReadState,
): AsyncGenerator<readonly LogLine[], number> {
  let at = position;
  let size = chunkSize;
  while (!parser.finished && !query.signal?.aborted) {
    const buffer = Buffer.allocUnsafeSlow(size);
    const { bytesRead } = await file.read(buffer, 0, size, at);
    const { lines, used } = parser.parse(buffer.subarray(0, bytesRead));
    if (lines.length > 0) yield lines;
    at += used;
    if (bytesRead < size) break;
    size = used === 0 ? size * 2 : chunkSize; // a line longer than the chunk
  }
  return at;
}

/** File and offset at which the last `tail` lines begin; read backwards, so that the cost is that of the tail. */
async function tailStart(
  files: readonly FileHandle[],
  tail: number | undefined,
): Promise<{ file: number; offset: number }> {
  if (tail === undefined) return { file: 0, offset: 0 };
  let missing = tail;
  for (let index = files.length - 1; index >= 0; index--) {
    const file = files[index];
    if (!file) break;
    const { size } = await file.stat();
    if (missing <= 0) return { file: index, offset: size };
    const found = await lastLines(file, size, missing);
    if (found.lines === missing) return { file: index, offset: found.offset };
    missing -= found.lines;
  }
  return { file: 0, offset: 0 };
}

async function lastLines(file: FileHandle, size: number, wanted: number): Promise<{ lines: number; offset: number }> {
  const buffer = Buffer.allocUnsafe(tailBlock);
  let lines = 0;
  // The newline that ends the last line begins none.
  for (let end = size - 1; end > 0; ) {
    const start = Math.max(0, end - tailBlock);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let at = buffer.lastIndexOf(10, bytesRead - 1); at >= 0; at = at === 0 ? -1 : buffer.lastIndexOf(10, at - 1)) {
      if (++lines === wanted) return { lines, offset: start + at + 1 };
    }
    end = start;
  }
  return { lines: size > 0 ? lines + 1 : lines, offset: 0 };
}

interface LogChange {
  /** Resolves at the next change, at once when there was one since the last call. */
  next(): Promise<void>;
  wake(): void;
  close(): void;
}

function watchLog(path: string): LogChange {
  let pending = false;
  let resume: (() => void) | undefined;
  const wake = () => {
    pending = true;
    resume?.();
  };
  const name = basename(path);
  const watcher = watch(dirname(path), { persistent: false }, (_, file) => {
    if (file === name) wake();
  });
  watcher.on('error', wake);
  return {
    wake,
    close: () => watcher.close(),
    async next() {
      if (!pending) await new Promise<void>((resolve) => (resume = resolve));
      pending = false;
      resume = undefined;
    },
  };
}

interface FollowState extends ReadState {
  readonly files: FileHandle[];
  readonly position: number;
  readonly change: LogChange;
}

async function* follow(path: string, state: FollowState): AsyncGenerator<readonly LogLine[]> {
  const { files, change, parser, query } = state;
  let position = state.position;
  let ended = false;
  void query.follow?.ended.then(
    () => finish(),
    () => finish(),
  );
  const finish = () => {
    ended = true;
    change.wake();
  };
  query.signal?.addEventListener('abort', change.wake, { once: true });
  try {
    for (;;) {
      const last = ended; // what is written before the end was told is read below
      const current = files.at(-1);
      if (current) position = yield* readFile(current, position, state);
      for (const next of await filesAfter(path, current)) {
        // conmon has opened the new file, so the old one grows no more: take what came since the read above.
        const old = files.at(-1);
        if (old) yield* readFile(old, position, state);
        files.push(next);
        position = yield* readFile(next, 0, state);
      }
      if (last || parser.finished || query.signal?.aborted) return;
      await change.next();
    }
  } finally {
    query.signal?.removeEventListener('abort', change.wake);
  }
}

/** The files written after `current`, oldest first; none while it is still the newest. */
async function filesAfter(path: string, current: FileHandle | undefined): Promise<FileHandle[]> {
  const known = current && (await current.stat()).ino;
  const newest = await stat(path).catch(() => undefined);
  if (!newest || newest.ino === known) return [];
  const files: FileHandle[] = [];
  for (let index = 0; ; index++) {
    const file = await openIfThere(rotatedPath(path, index));
    if (!file) return files;
    if ((await file.stat()).ino === known) {
      await file.close();
      return files;
    }
    files.unshift(file);
  }
}
