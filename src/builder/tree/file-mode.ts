import { invalid } from '#base';

/** A change of mode bits: octal (`755`, `0644`) or symbolic (`u=rwX,go-w`). */
export type ModeChange = (mode: number, directory: boolean) => number;

const clause = /^([ugoa]*)([-+=][rwxXst]*)+$/;

/** Reads the value of `--chmod`. Throws `invalid`. */
export function parseModeChange(text: string): ModeChange {
  if (/^0*[0-7]{1,4}$/.test(text)) {
    const mode = Number.parseInt(text, 8);
    return () => mode;
  }
  const clauses = text.split(',');
  if (!clauses.every((part) => clause.test(part))) {
    throw invalid(`invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`);
  }
  return (mode, directory) => clauses.reduce((bits, part) => applyClause(part, bits, directory), mode & 0o7777);
}

const classBits = {
  u: { shift: 6, special: 0o4000 },
  g: { shift: 3, special: 0o2000 },
  o: { shift: 0, special: 0 },
} as const;

function applyClause(text: string, mode: number, directory: boolean): number {
  const [, who = '', actions = ''] = /^([ugoa]*)(.*)$/.exec(text) ?? [];
  const classes = who === '' || who.includes('a') ? 'ugo' : who;
  let bits = mode;
  for (const [, operator, letters = ''] of actions.matchAll(/([-+=])([rwxXst]*)/g)) {
    const { set, mask } = letterBits(letters, classes, directory || (bits & 0o111) !== 0);
    bits = operator === '+' ? bits | set : operator === '-' ? bits & ~set : (bits & ~mask) | set;
  }
  return bits;
}

function letterBits(letters: string, classes: string, mayExecute: boolean): { set: number; mask: number } {
  const execute = letters.includes('x') || (letters.includes('X') && mayExecute);
  const triple = (letters.includes('r') ? 4 : 0) | (letters.includes('w') ? 2 : 0) | (execute ? 1 : 0);
  let set = letters.includes('t') ? 0o1000 : 0;
  let mask = 0;
  for (const [name, { shift, special }] of Object.entries(classBits)) {
    if (!classes.includes(name)) continue;
    set |= (triple << shift) | (letters.includes('s') ? special : 0);
    mask |= (7 << shift) | special;
  }
  return { set, mask };
}
