/** Lines shown before and after those that failed. */
const around = 2;

const normal = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** The instructions of a Dockerfile, continuation lines joined, comments dropped; lines are counted from 1. */
function instructions(text: string): { first: number; last: number; text: string }[] {
  const found: { first: number; last: number; text: string }[] = [];
  let parts: string[] = [];
  let first = 0;
  text.split(/\r?\n/).forEach((line, index) => {
    if (/^\s*#/.test(line) || (parts.length === 0 && line.trim() === '')) return;
    if (parts.length === 0) first = index + 1;
    parts.push(line.replace(/\\\s*$/, ''));
    if (/\\\s*$/.test(line)) return;
    found.push({ first, last: index + 1, text: normal(parts.join(' ')) });
    parts = [];
  });
  return found;
}

/**
 * The part of a Dockerfile that a failed vertex (`[stage 2/5] RUN make`) stands for, marked, as BuildKit shows it; empty
 * where the text has no such instruction, or several.
 */
export function failedPlace(name: string, dockerfile: { readonly name: string; readonly text: string }): string {
  const wanted = normal(name.replace(/^\[[^\]]*\] /, ''));
  const [place, ...others] = instructions(dockerfile.text).filter(({ text }) => text === wanted);
  if (place === undefined || others.length > 0) return '';
  const lines = dockerfile.text.split(/\r?\n/);
  const from = Math.max(1, place.first - around);
  const to = Math.min(lines.length, place.last + around);
  const shown = lines.slice(from - 1, to).map((line, index) => {
    const number = from + index;
    const mark = number >= place.first && number <= place.last ? '>>>' : '   ';
    return `${String(number).padStart(4)} | ${mark} ${line}`;
  });
  const rule = '-'.repeat(20);
  return [`${dockerfile.name}:${place.first}`, rule, ...shown, rule, ''].join('\n');
}
