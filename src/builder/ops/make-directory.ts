import { chownSync, lstatSync, mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { invalid } from '#base';
import type { StepLayer } from '../cache/cache-records.ts';
import { readAccounts } from '../tree/accounts.ts';
import { resolveInRoot } from '../tree/root-path.ts';
import type { BuildSession } from './build-session.ts';
import { changeTree } from './working-tree.ts';

/**
 * WORKDIR: makes `path` and what is missing above it, owned by `user`. Undefined when it is there already.
 * Throws `invalid` when something that is no directory is in the way.
 */
export function makeDirectory(
  session: BuildSession,
  below: string | undefined,
  options: { path: string; user: string },
): Promise<StepLayer | undefined> {
  return changeTree(session, below, async ({ root }) => {
    const owner = readAccounts(root).resolve(options.user);
    let path = root;
    for (const part of options.path.split('/').filter((piece) => piece !== '')) {
      path = resolveInRoot(root, join(relative(root, path), part));
      const there = lstatSync(path, { throwIfNoEntry: false });
      if (there?.isDirectory()) continue;
      if (there) throw invalid(`WORKDIR ${options.path}: /${relative(root, path)} is not a directory`);
      mkdirSync(path, { mode: 0o755 });
      chownSync(path, owner.uid, owner.gid);
    }
  });
}
