import { resolve } from 'node:path';
import type { EmptyObject } from '#api-types';
import { invalid } from '#base';

/** `-v` words: `source:target[:options]` are binds, a path alone is an anonymous volume. Throws `invalid`. */
export function readVolumes(
  words: readonly string[],
  cwd: string,
): { binds: string[]; anonymous: Record<string, EmptyObject> } {
  const binds: string[] = [];
  const anonymous: Record<string, EmptyObject> = {};
  for (const word of words) {
    if (word === '') throw invalid('invalid empty volume spec');
    const parts = word.split(':');
    if (word !== ':' && parts.some((part) => part === ''))
      throw invalid(`invalid spec: ${word}: empty section between colons`);
    if (parts.length > 3) throw invalid(`invalid spec: ${word}: too many colons`);
    const [source = '', target, ...rest] = parts;
    if (target === undefined || word === ':') anonymous[word] = {};
    else {
      // Docker's rule: a dot at the start makes it a path, also of a hidden directory; a tilde is the shell's to expand.
      binds.push([source.startsWith('.') ? resolve(cwd, source) : source, target, ...rest].join(':'));
    }
  }
  return { binds, anonymous };
}

/** `--tmpfs` words: `/path[:options]`. */
export function readTmpfs(words: readonly string[]): Record<string, string> {
  const map: Record<string, string> = {};
  for (const word of words) {
    const colon = word.indexOf(':');
    if (colon === -1) map[word] = '';
    else map[word.slice(0, colon)] = word.slice(colon + 1);
  }
  return map;
}
