import { invalid } from '#base';
import { type ByteName, toText } from './byte-name.ts';

/** The one spelling of a name inside a tree: components joined by `/`, without `.`; empty for the root. */
export type EntryPath = ByteName;

const needsCleaning = /^\.?\/|\/\/|\/\.(?:\/|$)|\/$|^\.$|(?:^|\/)\.\.(?:\/|$)/;

/**
 * Brings a member or hard-link name into its one spelling. Throws `invalid`, naming the entry, for a name that is
 * absolute, goes upward, is empty or has a NUL byte.
 */
export function entryPath(name: ByteName, what = 'entry'): EntryPath {
  if (name === '' || name.includes('\0')) throw invalid(`bad archive: ${what} with the name ${JSON.stringify(name)}`);
  if (!needsCleaning.test(name)) return name;
  if (name.startsWith('/')) throw invalid(`bad archive: ${what} "${toText(name)}" has an absolute name`);
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw invalid(`bad archive: ${what} "${toText(name)}" leads out of its directory`);
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
