import type { FastifyRequest } from 'fastify';
import { invalid } from '#base';
import { parseFilters } from './filters.ts';

const falseWords = new Set(['', '0', 'no', 'false', 'none']);

/** The query string of a request, read by Docker's rules. */
export class Query {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(request: FastifyRequest) {
    this.#values = isRecord(request.query) ? request.query : {};
  }

  /** The value, the last one where it is given more than once; undefined where it is not given. */
  text(name: string): string | undefined {
    return this.list(name).at(-1);
  }

  /** The value, or undefined where it is empty or not given. */
  nonEmpty(name: string): string | undefined {
    return this.text(name) || undefined;
  }

  /** All values of a key that may be repeated. */
  list(name: string): string[] {
    const value = this.#values[name];
    if (Array.isArray(value)) return value.filter((item): item is string => typeof item === 'string');
    return typeof value === 'string' ? [value] : [];
  }

  /** Docker's truth: empty, `0`, `no`, `false` and `none` are false, all else is true. */
  bool(name: string, otherwise = false): boolean {
    const value = this.text(name);
    return value === undefined ? otherwise : !falseWords.has(value.trim().toLowerCase());
  }

  /** A whole number; undefined where it is not given. Throws `invalid` with Go's text. */
  int(name: string): number | undefined {
    const value = this.nonEmpty(name);
    if (value === undefined) return undefined;
    if (!/^[+-]?\d+$/.test(value)) throw invalid(`strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`);
    return Number(value);
  }

  /** The `filters` parameter. Throws `invalid` ("invalid filter") when it is malformed or has a key not in `accepted`, if given. */
  filters(accepted?: readonly string[]): Record<string, string[]> {
    return parseFilters(this.text('filters'), accepted);
  }

  /** A JSON object of strings (`buildargs`, `labels`). Throws `invalid`. */
  map(name: string): Record<string, string | null> {
    const value = this.nonEmpty(name);
    if (value === undefined) return {};
    try {
      const parsed: unknown = JSON.parse(value);
      if (parsed === null) return {};
      if (isRecord(parsed) && Object.values(parsed).every((item) => item === null || typeof item === 'string')) {
        return Object.fromEntries(
          Object.entries(parsed).map(([key, item]) => [key, item === null ? null : String(item)]),
        );
      }
    } catch {
      // Falls through to the error below: any malformed text is the same to the client.
    }
    throw invalid(`error reading ${name}: want a JSON object of strings`);
  }
}

/** True for a plain object as JSON.parse makes them. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads `seconds[.fraction]` since the epoch as ns; undefined for empty. Throws `invalid` with Go's text. */
export function parseTimestamp(text: string | undefined): bigint | undefined {
  if (text === undefined || text === '') return undefined;
  const match = /^(-?\d+)(?:\.(\d+))?$/.exec(text);
  if (match?.[1] === undefined) throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return BigInt(match[1]) * 1_000_000_000n + BigInt((match[2] ?? '').padEnd(9, '0').slice(0, 9));
}
