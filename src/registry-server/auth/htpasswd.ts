import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { invalid, messageOf } from '#base';
import type { PasswordChecker } from './password-checker.ts';

/** bcrypt (`htpasswd -B`) or an argon2 PHC string. */
const hashPattern = /^(\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}|\$argon2(id|i|d)\$v=19\$[^\s:]+)$/;
/** Most memory, in KiB, and rounds that a hash in the file may make us spend on a login. */
const maxArgonMemory = 1024 * 1024;
/** What passwords of unknown users are compared with, so that a refusal takes as long as for known ones. */
const decoy = '$2y$10$T8qUDxVB2YpahBWvbXcR6uuiju4f0XW1EDxjYx3XOcHzVQAhGtpG6';

/** Checks logins. */
export interface LoginChecker {
  /** True when `user` has that password. */
  check(user: string, password: string): Promise<boolean>;
  /** A value that changes with the user's password; undefined for unknown users. */
  stamp(user: string): Promise<string | undefined>;
}

/** An htpasswd file (`user:hash` lines) with bcrypt or argon2 hashes; read again when it changes. */
export class HtpasswdFile implements LoginChecker {
  readonly #path: string;
  readonly #checker: PasswordChecker;
  #users: ReadonlyMap<string, string> = new Map();
  #version = '';

  /** Reads nothing; call {@link HtpasswdFile.load}. */
  constructor(path: string, checker: PasswordChecker) {
    this.#path = path;
    this.#checker = checker;
  }

  /** Reads the file if it changed. Throws `invalid` naming file and line. */
  async load(): Promise<void> {
    let version: string;
    let text: string;
    try {
      const { mtimeMs, size, ino } = await stat(this.#path);
      version = `${mtimeMs} ${size} ${ino}`;
      if (version === this.#version) return;
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      throw invalid(`htpasswd file ${this.#path}: ${messageOf(error)}`);
    }
    this.#users = parseHtpasswd(text, this.#path);
    this.#version = version;
  }

  async check(user: string, password: string): Promise<boolean> {
    await this.load();
    const hash = this.#users.get(user);
    const correct = await this.#checker.check(password, hash ?? decoy);
    return hash !== undefined && correct;
  }

  async stamp(user: string): Promise<string | undefined> {
    await this.load();
    const hash = this.#users.get(user);
    return hash && createHash('sha256').update(hash).digest('base64url').slice(0, 22);
  }
}

/** Reads the text of an htpasswd file. Throws `invalid` naming the line. */
export function parseHtpasswd(text: string, path: string): Map<string, string> {
  const users = new Map<string, string>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const hash = line.slice(colon + 1);
    const memory = Number(/[$,]m=(\d+)/.exec(hash)?.[1] ?? 0);
    if (colon < 1 || !hashPattern.test(hash) || memory > maxArgonMemory) {
      throw invalid(
        `${path}, line ${index + 1}: want USER:HASH with a bcrypt hash (htpasswd -B) or an argon2 one of at most 1 GiB`,
      );
    }
    users.set(line.slice(0, colon), hash);
  }
  return users;
}
