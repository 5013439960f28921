import type { DockerfileFaults } from '../dockerfile-error.ts';
import type { Directives } from './syntax-tree.ts';

const directive = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;
const known = new Set(['syntax', 'escape', 'check']);

/**
 * Reads the directive comments at the top of a Dockerfile; the first line that is none ends them. A `#!` first line is
 * skipped. Throws `invalid` for a repeated directive and an unknown escape character.
 */
export function readDirectives(
  lines: readonly string[],
  faults: DockerfileFaults,
): { directives: Directives; count: number } {
  const found: { syntax?: string; check?: string } = {};
  const seen = new Set<string>();
  let escapeChar: '\\' | '`' = '\\';
  let count = lines[0]?.startsWith('#!') ? 1 : 0;
  for (; count < lines.length; count++) {
    const match = directive.exec((lines[count] ?? '').trimStart());
    const name = match?.[1]?.toLowerCase() ?? '';
    const value = match?.[2] ?? '';
    if (!known.has(name)) break;
    const line = count + 1;
    if (seen.has(name)) throw faults.syntax(`only one ${name} parser directive can be used`, line, name);
    seen.add(name);
    if (name === 'escape') {
      if (value !== '\\' && value !== '`') {
        throw faults.syntax(`invalid escape token '${value}' does not match \` or \\`, line, name);
      }
      escapeChar = value;
    } else if (name === 'syntax') found.syntax = value;
    else found.check = value;
  }
  return { directives: { escape: escapeChar, ...found }, count };
}
