import { readFileSync } from 'node:fs';
import { Accounts } from '#oci';
import { resolveInRoot } from './root-path.ts';

const mostBytes = 4 << 20;

/** The users and groups of the tree at `root`; synchronous, for worker threads. */
export function readAccounts(root: string): Accounts {
  return new Accounts(read(root, '/etc/passwd'), read(root, '/etc/group'));
}

function read(root: string, path: string): string {
  try {
    return readFileSync(resolveInRoot(root, path), 'utf8').slice(0, mostBytes);
  } catch {
    return '';
  }
}
