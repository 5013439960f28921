import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errnoOf, invalid, notFound, notImplemented } from '#base';

/** An ssh agent as a command line or file names it. */
export interface AgentSource {
  readonly id: string;
  /** Sockets or key files; none: the agent of `SSH_AUTH_SOCK`. */
  readonly paths: readonly string[];
}

/** Reads `default` or `ID[=PATH[,PATH...]]`. */
export function readSshFlag(text: string): AgentSource {
  const equals = text.indexOf('=');
  if (equals === -1) return { id: text, paths: [] };
  const paths = text
    .slice(equals + 1)
    .split(',')
    .filter((path) => path !== '' && !/^raw=/.test(path));
  return { id: text.slice(0, equals), paths };
}

const looksLikeKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/**
 * The absolute path of the socket of an agent. Throws `invalid` where there is no agent, `not-found` for a path that is not
 * there, `not-implemented` for a key file; texts are buildx's where it has the case.
 */
export async function agentSocket(
  agent: AgentSource,
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<string> {
  const { id, paths } = agent;
  const written = paths[0] ?? options.env.SSH_AUTH_SOCK ?? '';
  if (written === '') {
    throw invalid(
      `failed to convert agent config for ID: "${id}": invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set`,
    );
  }
  const path = resolve(options.cwd, written);
  const stats = await stat(path).catch((error: unknown) => {
    const reason = errnoOf(error) === 'ENOENT' ? 'no such file or directory' : (errnoOf(error) ?? String(error));
    throw notFound(`failed to convert agent config for ID: "${id}": stat ${written}: ${reason}`, { cause: error });
  });
  if (stats.isSocket()) {
    if (paths.length > 1) throw invalid(`failed to convert agent config for ID: "${id}": only single socket allowed`);
    return path;
  }
  if (stats.isFile() && stats.size < 1 << 20 && looksLikeKey.test(await readFile(path, 'latin1'))) {
    throw notImplemented(
      `ssh "${id}": ${written} is a key file, and builds can be given agents only: add it to one (ssh-add ${written}) and say --ssh ${id}`,
    );
  }
  throw invalid(`failed to convert agent config for ID: "${id}": failed to parse ${written}: ssh: no key found`);
}
