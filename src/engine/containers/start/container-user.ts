import { invalid } from '#base';
import { type FileView, readContainerFile } from '../rootfs/container-path.ts';

/** Who a process runs as, in numbers. */
export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** Home directory from the passwd file; `/` when there is none. */
  readonly home: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}
interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/**
 * Resolves `name|uid[:group|gid]` (empty is root) and `groupAdd` against the container's own /etc/passwd and /etc/group.
 * A number need not be in the files; a name must. Throws `invalid` with Docker's texts.
 */
export async function resolveUser(view: FileView, spec: string, groupAdd: readonly string[]): Promise<ContainerUser> {
  // A container of numbers needs no lookup of names, but its home and groups still come from the files.
  const [passwdText, groupText] = await Promise.all([
    readContainerFile(view, '/etc/passwd'),
    readContainerFile(view, '/etc/group'),
  ]);
  const groups = parseGroups(groupText ?? '');
  const [userPart = '', groupPart = ''] = spec.split(':', 2);
  const user = findUser(parsePasswd(passwdText ?? ''), userPart || '0');
  const gid = groupPart === '' ? user.gid : findGroup(groups, groupPart, 'unable');
  const own = groupPart === '' ? groups.filter((group) => group.members.includes(user.name)) : [];
  const added = groupAdd.map((group) => findGroup(groups, group, 'Unable'));
  return {
    uid: user.uid,
    gid,
    additionalGids: [...new Set([gid, ...own.map((group) => group.gid), ...added])],
    home: user.home || '/',
  };
}

function findUser(entries: readonly PasswdEntry[], wanted: string): PasswdEntry {
  const byName = entries.find((entry) => entry.name === wanted);
  if (byName !== undefined) return byName;
  if (!isId(wanted)) throw invalid(`unable to find user ${wanted}: no matching entries in passwd file`);
  const uid = Number(wanted);
  return entries.find((entry) => entry.uid === uid) ?? { name: '', uid, gid: 0, home: '/' };
}

function findGroup(entries: readonly GroupEntry[], wanted: string, word: string): number {
  const found = entries.find((entry) => entry.name === wanted);
  if (found !== undefined) return found.gid;
  if (!isId(wanted)) throw invalid(`${word} to find group ${wanted}: no matching entries in group file`);
  return Number(wanted);
}

function isId(text: string): boolean {
  if (!/^\d+$/.test(text)) return false;
  if (Number(text) > 2 ** 31 - 1) throw invalid('uids and gids must be in range 0-2147483647');
  return true;
}

function parsePasswd(text: string): PasswdEntry[] {
  return fields(text).flatMap(([name = '', , uid = '', gid = '', , home = '']) =>
    /^\d+$/.test(uid) && /^\d+$/.test(gid) ? [{ name, uid: Number(uid), gid: Number(gid), home }] : [],
  );
}

function parseGroups(text: string): GroupEntry[] {
  return fields(text).flatMap(([name = '', , gid = '', members = '']) =>
    /^\d+$/.test(gid) ? [{ name, gid: Number(gid), members: members.split(',').filter(Boolean) }] : [],
  );
}

function fields(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}
