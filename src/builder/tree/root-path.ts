import { lstatSync, readlinkSync } from 'node:fs';
import { join, posix } from 'node:path';
import { invalid } from '#base';

const mostLinks = 255;

/**
 * The path on this machine of `path` inside the tree `root`, as a process whose root is `root` would see it: symbolic
 * links, absolute ones too, and `..` never lead out. Parts that do not exist are taken as they are. With `keepLast`
 * a link in the last part is not followed. Throws `invalid` when links go round in circles.
 */
export function resolveInRoot(root: string, path: string, options: { keepLast?: boolean } = {}): string {
  let links = 0;
  let done = '/';
  const rest = path.split('/').filter((part) => part !== '' && part !== '.');
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === '..') {
      done = posix.dirname(done);
      continue;
    }
    const next = posix.join(done, part);
    const target = options.keepLast && rest.length === 0 ? undefined : linkTarget(join(root, next));
    if (target === undefined) {
      done = next;
      continue;
    }
    if (++links > mostLinks) throw invalid(`${path}: too many levels of symbolic links`);
    if (target.startsWith('/')) done = '/';
    rest.unshift(...target.split('/').filter((piece) => piece !== '' && piece !== '.'));
  }
  return join(root, done);
}

function linkTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined; // nothing there: the caller finds out when it uses the path
  }
}
