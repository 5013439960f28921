/** What can be done with a repository. */
export const actions = ['pull', 'push', 'delete'] as const;
/** One of {@link actions}. */
export type Action = (typeof actions)[number];

/** What a request or a token is about; `registry`/`catalog` is the list of all repositories. */
export interface Scope {
  readonly type: 'repository' | 'registry';
  readonly name: string;
  /** {@link Action}s, or `*` for the catalog. */
  readonly actions: readonly string[];
}

/** Who sent a request, and what that may do. */
export interface Identity {
  /** Undefined for somebody without credentials. */
  readonly user: string | undefined;
  /** Credentials were shown and found right; an anonymous client's token counts. */
  readonly known: boolean;
  may(scope: Scope): boolean;
  /** True where other or better credentials could give more: the refusal is then a challenge (401), else 403. */
  readonly canImprove: boolean;
}

/** Finds out who sent a request. */
export interface Authenticator {
  /**
   * Reads an Authorization header. Throws UNAUTHORIZED for credentials that are wrong; undefined where there are none
   * and none are needed to ask.
   */
  identify(authorization: string | undefined): Promise<Identity>;
  /** The WWW-Authenticate header of a refusal (RFC 7235); undefined where nothing can be asked for. */
  challenge(request: { origin: string; scopes: readonly Scope[]; insufficient: boolean }): string | undefined;
}

/** Lets everybody do everything. */
export const openAuthenticator: Authenticator = {
  identify: async () => ({ user: undefined, known: false, may: () => true, canImprove: false }),
  challenge: () => undefined,
};

/** Reads `repository:NAME:pull,push` or `registry:catalog:*` (token specification); undefined for other types. */
export function parseScope(text: string): Scope | undefined {
  const match = /^(repository|registry)(?:\(\w+\))?:([^\s]+):([\w,*]*)$/.exec(text);
  if (match === null) return undefined;
  const [, type, name = '', list = ''] = match;
  return { type: type === 'registry' ? 'registry' : 'repository', name, actions: list.split(',').filter(Boolean) };
}

/** The text form of a scope. */
export function scopeText(scope: Scope): string {
  return `${scope.type}:${scope.name}:${scope.actions.join(',')}`;
}
