import { invalid } from '#base';

/** Who a process runs as, in numbers. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  /** Groups beside the main one, which is among them as in Docker. */
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

/** The users and groups of a container's file system, from the texts of its passwd(5) and group(5). */
export class Accounts {
  readonly #users: readonly PasswdEntry[];
  readonly #groups: readonly GroupEntry[];

  /** Files that are missing are empty texts. Malformed lines are left out. */
  constructor(passwd: string, group: string) {
    this.#users = fields(passwd).flatMap(([name = '', , uid = '', gid = '', , home = '']) =>
      /^\d+$/.test(uid) && /^\d+$/.test(gid) ? [{ name, uid: Number(uid), gid: Number(gid), home }] : [],
    );
    this.#groups = fields(group).flatMap(([name = '', , gid = '', members = '']) =>
      /^\d+$/.test(gid) ? [{ name, gid: Number(gid), members: members.split(',').filter(Boolean) }] : [],
    );
  }

  /**
   * Resolves `name|uid[:group|gid]` (empty is root) and groups to add. A number need not be in the files; a name must.
   * Throws `invalid` with Docker's texts.
   */
  resolve(spec: string, groupAdd: readonly string[] = []): Account {
    const [userPart = '', groupPart = ''] = spec.split(':', 2);
    const wanted = userPart || '0';
    const id = toId(wanted);
    const user = this.#user(wanted) ?? (id === undefined ? undefined : { name: '', uid: id, gid: 0, home: '/' });
    if (user === undefined) throw invalid(`unable to find user ${wanted}: no matching entries in passwd file`);
    const gid = groupPart === '' ? user.gid : this.#gid(groupPart);
    const own = groupPart === '' ? this.#groups.filter((group) => group.members.includes(user.name)) : [];
    const added = groupAdd.map((group) => this.#gid(group));
    const additionalGids = [...new Set([gid, ...own.map((group) => group.gid), ...added])];
    return { uid: user.uid, gid, additionalGids, home: user.home || '/' };
  }

  /** Resolves `--chown=user[:group]`; without a group it is the one of the same name or number. Throws `invalid`. */
  owner(spec: string): { uid: number; gid: number } {
    const [user = '', group = user, ...more] = spec.split(':');
    if (user === '' || group === '' || more.length > 0) throw invalid(`invalid chown string: ${spec}`);
    const entry = this.#user(user);
    const uid = entry?.uid ?? toId(user);
    if (uid === undefined) throw chownFault('uid', 'user', user);
    const gid = this.#group(group)?.gid ?? toId(group) ?? (group === user ? entry?.gid : undefined);
    if (gid === undefined) throw chownFault('gid', 'group', group);
    return { uid, gid };
  }

  #gid(wanted: string): number {
    const gid = this.#group(wanted)?.gid ?? toId(wanted);
    if (gid === undefined) throw invalid(`unable to find group ${wanted}: no matching entries in group file`);
    return gid;
  }

  #user(name: string): PasswdEntry | undefined {
    const id = toId(name);
    return this.#users.find((user) => user.name === name) ?? this.#users.find((user) => user.uid === id);
  }

  #group(name: string): GroupEntry | undefined {
    const id = toId(name);
    return this.#groups.find((group) => group.name === name) ?? this.#groups.find((group) => group.gid === id);
  }
}

function chownFault(kind: string, what: string, name: string): Error {
  return invalid(
    `unable to convert uid/gid chown string to host mapping: can't find ${kind} for ${what} ${name}: no such ${what}: ${name}`,
  );
}

function toId(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  if (Number(text) > 2 ** 31 - 1) throw invalid('uids and gids must be in range 0-2147483647');
  return Number(text);
}

function fields(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}
