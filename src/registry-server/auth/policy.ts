import { type Action, actions, type Scope } from './access.ts';

/** Gives users actions on repositories. Rules add up; what no rule gives is refused. */
export interface AccessRule {
  /** User names; `*` is everybody who is logged in, `anonymous` everybody. */
  readonly users: readonly string[];
  /** A repository, or all below a prefix: `team/app`, `team/*`, `*`. */
  readonly repository: string;
  readonly actions: readonly Action[];
}

/** Decides what a user may do. */
export class AccessPolicy {
  readonly #rules: readonly AccessRule[];

  /** With no rules, whoever is logged in may do all; `anonymousRead` lets everybody else pull. */
  constructor(options: { rules: readonly AccessRule[]; anonymousRead: boolean }) {
    const base: AccessRule[] = options.rules.length > 0 ? [] : [{ users: ['*'], repository: '*', actions }];
    const read: AccessRule[] = options.anonymousRead
      ? [{ users: ['anonymous'], repository: '*', actions: ['pull'] }]
      : [];
    this.#rules = [...options.rules, ...base, ...read];
  }

  /** The part of the wanted actions that the user (undefined: anonymous) may do. */
  allowed(user: string | undefined, scope: Scope): string[] {
    if (scope.type === 'registry') return this.#mayList(user) ? [...scope.actions] : [];
    const given = new Set<string>();
    for (const rule of this.#rules) {
      if (!concerns(rule, user) || !matches(rule.repository, scope.name)) continue;
      for (const action of rule.actions) given.add(action);
    }
    // Docker's clients ask for `*` when they delete.
    if (scope.actions.includes('*')) return actions.filter((action) => given.has(action));
    return scope.actions.filter((action) => given.has(action));
  }

  /** True when the user may do all of the scope. */
  may(user: string | undefined, scope: Scope): boolean {
    return this.allowed(user, scope).length >= scope.actions.length;
  }

  /** The catalog shows the names of all repositories: for those who may pull all of them. */
  #mayList(user: string | undefined): boolean {
    return this.#rules.some((rule) => concerns(rule, user) && rule.repository === '*' && rule.actions.includes('pull'));
  }
}

function concerns(rule: AccessRule, user: string | undefined): boolean {
  if (rule.users.includes('anonymous')) return true;
  return user !== undefined && (rule.users.includes('*') || rule.users.includes(user));
}

function matches(pattern: string, name: string): boolean {
  if (pattern === '*') return true;
  return pattern.endsWith('/*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
