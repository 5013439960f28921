import { isBerthError } from '#base';
import type { Sources } from './sources.ts';
import type { Path } from './tree.ts';

/** One value that its key cannot take; `text` follows the path in the message. */
interface Fault {
  path: Path;
  text: string;
}

/** Thrown by what gives values their types, on its way to {@link wording}. */
export class DecodeFault extends Error {
  override readonly name = 'DecodeFault';
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(({ path, text }) => `'${shown(path)}' ${text}`).join('\n'));
    this.faults = faults;
  }
}

/** `services[a].ports[0].target`: a path as messages show it. Names that are the file's own come in brackets. */
function shown(path: Path): string {
  return path
    .map((key, index) => {
      if (index === 0 || key.startsWith('[')) return key;
      return /^\d+$/.test(key) ? `[${key}]` : `.${key}`;
    })
    .join('');
}

/** Runs `work`, and makes an `invalid` error that it throws a fault of the value at `path`. */
export function attempt<T>({ path }: { path: Path }, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (isBerthError(error, 'invalid')) throw new DecodeFault([{ path, text: error.message }]);
    throw error;
  }
}

/** `work` of each item; faults are collected, so that all of them are told, and thrown at the end. */
export function eachDecoded<T, R>(items: readonly T[], work: (item: T, index: number) => R): R[] {
  const results: R[] = [];
  const faults: Fault[] = [];
  for (const [index, item] of items.entries()) {
    try {
      results.push(work(item, index));
    } catch (error) {
      if (!(error instanceof DecodeFault)) throw error;
      faults.push(...error.faults);
    }
  }
  if (faults.length > 0) throw new DecodeFault(faults);
  return results;
}

/**
 * Runs `work` and words the faults that it finds as docker compose does, with the place of the first. `root` leads to
 * where the paths of `work` begin.
 */
export function wording<T>(sources: Sources, root: Path, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DecodeFault)) throw error;
    const path = error.faults[0]?.path.map((key) => key.replace(/^\[(.*)\]$/s, '$1')) ?? [];
    const at = [...root, ...path];
    throw sources.error(`decoding failed due to the following error(s):\n\n${error.message}`, at, { cause: error });
  }
}
