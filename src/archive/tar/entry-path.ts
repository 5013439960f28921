import { invalid } from '#base';
import { type ByteName, toText } from './byte-name.ts';

/** The one spelling of a name inside a tree: components joined by `/`, without `.`; empty for the root. */
export type EntryPath = ByteName;

const needsCleaning = /^\.?\/|\/\/|\/\.(?:\/|$)|\/$|^\.$|(?:^|\/)\.\.(?:\/|$)/;

/**
 * Brings the name of a member, or the target of a hard link, into its one spelling. A leading `/` is dropped, as Docker
 * does. Throws `invalid`, naming the entry, for a name that goes upward, is empty or has a NUL byte.
 */
export function entryPath(name: ByteName, what: 'entry name' | 'hardlink target' = 'entry name'): EntryPath {
  if (name === '' || name.includes('\0')) throw invalid(`bad archive: invalid ${what} ${JSON.stringify(name)}`);
  if (!needsCleaning.test(name)) return name;
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..'))
    throw invalid(`bad archive: invalid ${what} "${toText(name)}": it leads out of its directory`);
  return parts.join('/');
}

/** Path of the directory that holds `path`; empty for the root's own members. */
export function parentOf(path: EntryPath): EntryPath {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** Last component of `path`. */
export function baseOf(path: EntryPath): ByteName {
  return path.slice(path.lastIndexOf('/') + 1);
}
