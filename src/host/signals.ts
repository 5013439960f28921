import { constants } from 'node:os';
import { invalid } from '#base';

const byName = new Map<string, number>(Object.entries(constants.signals));
const [realtimeMin, realtimeMax] = [34, 64];

/**
 * Reads a signal as Docker takes it: a number (`9`), or a name with or without `SIG` in any case (`KILL`, `sigterm`,
 * `RTMIN+3`, `RTMAX-1`). Throws `invalid` with Docker's text.
 */
export function parseSignal(text: string): number {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number >= 1 && number <= realtimeMax) return number;
    throw invalid(`invalid signal: ${text}`);
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const number = byName.get(`SIG${name}`) ?? realtime(name);
  if (number === undefined) throw invalid(`invalid signal: ${text}`);
  return number;
}

/** The name of a signal, such as `SIGTERM`; for a number that has none, the number as text. */
export function signalName(signal: number): string {
  for (const [name, number] of byName) if (number === signal) return name;
  return signal >= realtimeMin ? `SIGRTMIN+${signal - realtimeMin}` : String(signal);
}

function realtime(name: string): number | undefined {
  const match = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (!match) return undefined;
  const [, edge, sign, offset] = match;
  const number = (edge === 'MIN' ? realtimeMin : realtimeMax) + (sign === '-' ? -1 : 1) * Number(offset ?? 0);
  return number >= realtimeMin && number <= realtimeMax ? number : undefined;
}
