import { readFileSync } from 'node:fs';
import { invalid } from '#base';
import { resolveInRoot } from './root-path.ts';

/** Who a process runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
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

/** The users and groups of a file system (passwd(5), group(5) in its /etc). */
export class Accounts {
  readonly #users: readonly PasswdEntry[];
  readonly #groups: readonly GroupEntry[];

  /** Reads them from the tree at `root`; files that are missing have no entries. */
  constructor(root: string) {
    this.#users = fieldsOf(root, '/etc/passwd').map(([name = '', , uid, gid, , home = '']) => ({
      name,
      uid: Number(uid),
      gid: Number(gid),
      home,
    }));
    this.#groups = fieldsOf(root, '/etc/group').map(([name = '', , gid, members = '']) => ({
      name,
      gid: Number(gid),
      members: members.split(',').filter((member) => member !== ''),
    }));
  }

  /** Resolves `user[:group]` of USER; empty is root. Throws `invalid` for an unknown name. */
  resolve(spec: string): Account {
    const [userPart = '', groupPart] = spec.split(':');
    const user = userPart === '' ? '0' : userPart;
    const entry = this.#user(user);
    const uid = entry?.uid ?? asId(user);
    if (uid === undefined) throw invalid(`unable to find user ${user}: no matching entries in passwd file`);
    const home = entry?.home || '/';
    if (groupPart !== undefined && groupPart !== '') {
      const gid = this.#group(groupPart)?.gid ?? asId(groupPart);
      if (gid === undefined) throw invalid(`unable to find group ${groupPart}: no matching entries in group file`);
      return { uid, gid, additionalGids: [], home };
    }
    const gid = entry?.gid ?? 0;
    const additionalGids = this.#groups
      .filter((group) => entry !== undefined && group.members.includes(entry.name) && group.gid !== gid)
      .map((group) => group.gid);
    return { uid, gid, additionalGids, home };
  }

  /** Resolves `--chown=user[:group]`; without a group it is the one of the same name or number. Throws `invalid`. */
  owner(spec: string): { uid: number; gid: number } {
    const [user = '', group = user, ...more] = spec.split(':');
    const fail = (what: string, name: string) =>
      invalid(
        `unable to convert uid/gid chown string to host mapping: can't find ${what} for ${what === 'uid' ? 'user' : 'group'} ${name}: no such ${what === 'uid' ? 'user' : 'group'}: ${name}`,
      );
    if (user === '' || group === '' || more.length > 0) throw invalid(`invalid chown string: ${spec}`);
    const entry = this.#user(user);
    const uid = entry?.uid ?? asId(user);
    if (uid === undefined) throw fail('uid', user);
    const gid = this.#group(group)?.gid ?? asId(group) ?? (group === user ? entry?.gid : undefined);
    if (gid === undefined) throw fail('gid', group);
    return { uid, gid };
  }

  #user(name: string): PasswdEntry | undefined {
    const id = asId(name);
    return this.#users.find((user) => user.name === name) ?? this.#users.find((user) => user.uid === id);
  }

  #group(name: string): GroupEntry | undefined {
    const id = asId(name);
    return this.#groups.find((group) => group.name === name) ?? this.#groups.find((group) => group.gid === id);
  }
}

function asId(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) <= 0xffffffff ? Number(text) : undefined;
}

const mostBytes = 4 << 20;

function fieldsOf(root: string, path: string): string[][] {
  let text: string;
  try {
    text = readFileSync(resolveInRoot(root, path), 'utf8').slice(0, mostBytes);
  } catch {
    return [];
  }
  return text
    .split('\n')
    .filter((line) => line.includes(':') && !line.startsWith('#'))
    .map((line) => line.split(':'));
}
