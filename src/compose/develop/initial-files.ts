import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PathMapping, WatchRule } from './watch-rule.ts';

/**
 * Files of a rule that are newer than the image and so not in it: what `initial_sync` copies before watching begins.
 * `since` is in milliseconds since the epoch.
 */
export async function initialFiles(rule: WatchRule, since: number): Promise<PathMapping[]> {
  const found: PathMapping[] = [];
  const visit = async (path: string): Promise<void> => {
    const stats = await lstat(path).catch(() => undefined);
    if (stats === undefined) return;
    if (stats.isDirectory()) {
      if (rule.skips(path)) return;
      for (const name of (await readdir(path)).sort()) await visit(join(path, name));
    } else if (stats.mtimeMs >= since) {
      const mapping = rule.match(path);
      if (mapping !== undefined) found.push(mapping);
    }
  };
  await visit(rule.trigger.path);
  return found;
}
