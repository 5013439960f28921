import { type Account, Accounts } from '#oci';
import { type FileView, readContainerFile } from '../rootfs/container-path.ts';

/** Resolves a user and added groups against the container's own /etc/passwd and /etc/group. Throws `invalid`. */
export async function resolveUser(view: FileView, spec: string, groupAdd: readonly string[]): Promise<Account> {
  // A container of numbers needs no lookup of names, but its home and groups still come from the files.
  const [passwd, group] = await Promise.all([
    readContainerFile(view, '/etc/passwd'),
    readContainerFile(view, '/etc/group'),
  ]);
  return new Accounts(passwd ?? '', group ?? '').resolve(spec, groupAdd);
}
