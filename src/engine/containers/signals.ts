import { constants } from 'node:os';
import { invalid } from '#base';

/** Real-time signals (signal(7)), which Node does not name; glibc keeps 32 and 33 for itself. */
const realTime = { min: 34, max: 64 };

/**
 * The number of a signal given as number, `TERM`, `SIGTERM` or `RTMIN+3`, in any case. Throws `invalid` with Docker's
 * text ("invalid signal: X").
 */
export function signalNumber(text: string): number {
  const name = text.toUpperCase().replace(/^SIG/, '');
  if (/^\d+$/.test(name)) {
    const number = Number(name);
    if (number >= 1 && number <= realTime.max) return number;
    throw invalid(`invalid signal: ${text}`);
  }
  const known = (constants.signals as Readonly<Record<string, number>>)[`SIG${name}`];
  if (known !== undefined) return known;
  const match = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  const offset = Number(match?.[3] ?? 0) * (match?.[2] === '-' ? -1 : 1);
  const number = (match?.[1] === 'MIN' ? realTime.min : realTime.max) + offset;
  if (match && number >= realTime.min && number <= realTime.max) return number;
  throw invalid(`invalid signal: ${text}`);
}
