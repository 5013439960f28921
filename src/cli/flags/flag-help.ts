import type { FlagSpec } from './flag-spec.ts';

/** Words a text at `width` columns the way pflag does: a line may be up to five characters longer than planned. */
function wrapLine(width: number, text: string): [string, string] {
  const slop = 5;
  if (width + slop >= text.length) return [text, ''];
  const at = text.lastIndexOf(' ', width - 1);
  if (at <= 0) return [text, ''];
  return [text.slice(0, at), text.slice(at + 1)];
}

function wrap(indent: number, columns: number, text: string): string {
  const slop = 5;
  const width = columns - indent;
  if (width < 24 || text.length <= width - slop + slop) {
    if (width < 24 || text.length <= width) return text;
  }
  const lines: string[] = [];
  let rest = text;
  while (rest !== '') {
    const [line, left] = wrapLine(width - slop, rest);
    lines.push(line);
    rest = left;
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}

/** The `Options:` lines of a help page, sorted by name, wrapped at `columns`. */
export function flagHelp(specs: readonly FlagSpec[], columns = 80): string {
  const shown = specs.filter((spec) => !spec.hidden).sort((a, b) => (a.name < b.name ? -1 : 1));
  const heads = shown.map((spec) => {
    const short = spec.shorthand ? `  -${spec.shorthand}, ` : '      ';
    return `${short}--${spec.name}${spec.typeWord === '' ? '' : ` ${spec.typeWord}`}`;
  });
  const indent = Math.max(0, ...heads.map((head) => head.length)) + 3;
  return shown
    .map((spec, index) => `${(heads[index] ?? '').padEnd(indent)}${wrap(indent, columns - 1, spec.text)}`)
    .join('\n');
}
