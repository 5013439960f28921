import type { MountEntry } from '../host.ts';

/** Reads the text of /proc/PID/mountinfo (proc(5)), in the kernel's order: a later entry covers an earlier one. */
export function parseMountTable(text: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const fields = line.split(' ');
    // Optional fields stand between the sixth field and a lone hyphen.
    const end = fields.indexOf('-', 6);
    entries.push({
      id: Number(fields[0]),
      parentId: Number(fields[1]),
      device: fields[2] ?? '',
      root: plainName(fields[3] ?? ''),
      target: plainName(fields[4] ?? ''),
      options: [...(fields[5] ?? '').split(','), ...(fields[end + 3] ?? '').split(',')].filter(Boolean),
      propagation: fields.slice(6, end),
      type: plainName(fields[end + 1] ?? ''),
      source: plainName(fields[end + 2] ?? ''),
    });
  }
  return entries;
}

/** The kernel writes blank, tab, newline and backslash as three octal digits; other bytes of a name as they are. */
function plainName(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
