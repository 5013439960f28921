import { invalid } from './errors.ts';

const sizeSuffix: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/**
 * Reads a size as Docker's flags take it: `512`, `64k`, `1.5GiB`, `2gb`; every suffix is a power of 1024.
 * Returns bytes. Throws `invalid` with Docker's text (`invalid size: '...'`).
 */
export function parseByteSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text.trim());
  const value = Number(match?.[1]);
  if (!match || !Number.isFinite(value)) throw invalid(`invalid size: '${text}'`);
  return Math.trunc(value * 1024 ** (sizeSuffix[(match[2] ?? '').toLowerCase()] ?? 0));
}

const durationUnits: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Reads a Go duration (`1h30m`, `500ms`, `0`) and returns nanoseconds. Throws `invalid` with Go's text. */
export function parseDuration(text: string): number {
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  const parts = [...body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== body) {
    throw invalid(`time: invalid duration "${text}"`);
  }
  const total = parts.reduce((sum, part) => sum + Number(part[1]) * (durationUnits[part[2] ?? ''] ?? 0), 0);
  return Math.round(text.startsWith('-') ? -total : total);
}
