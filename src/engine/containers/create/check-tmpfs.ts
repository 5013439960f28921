import { posix } from 'node:path';
import { invalid } from '#base';
import type { HostSettings } from '../container.ts';

/** Options of tmpfs with a value (tmpfs(5)). */
const valued = new Set(['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol']);
/** Options of every mount that make sense for one (mount(8)). */
const flags = new Set(
  (
    'defaults ro rw suid nosuid dev nodev exec noexec sync async dirsync mand nomand atime noatime diratime nodiratime ' +
    'relatime norelatime strictatime nostrictatime private rprivate shared rshared slave rslave unbindable runbindable'
  ).split(' '),
);

/** Checks `--tmpfs`. Throws `invalid` with Docker's texts for the root as target and for an unknown option. */
export function checkTmpfs(tmpfs: HostSettings['tmpfs']): void {
  for (const [path, options] of Object.entries(tmpfs)) {
    if (posix.normalize(path) === '/') throw invalid("invalid specification: destination can't be '/'");
    for (const option of options.split(',').filter(Boolean)) {
      const [name = '', value] = option.split('=', 2);
      if (value === undefined ? !flags.has(name) : !valued.has(name)) throw invalid(`invalid tmpfs option "${name}"`);
    }
  }
}
