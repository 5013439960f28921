import { WholeFloat } from '../model/whole-float.ts';

const nulls = new Set(['', '~', 'null', 'Null', 'NULL']);
const trues = new Set(['true', 'True', 'TRUE']);
const falses = new Set(['false', 'False', 'FALSE']);
const integer = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const largest = 18446744073709551615n;

function parseInteger(text: string): number | bigint | undefined {
  if (!integer.test(text)) return undefined;
  const negative = text.startsWith('-');
  const digits = text.replace(/^[-+]/, '');
  const octal = /^0[0-7]+$/.test(digits);
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits.toLowerCase());
  if (value > largest) return undefined;
  const signed = negative ? -value : value;
  return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
}

/**
 * Gives a plain (unquoted) scalar its type as Docker Compose's YAML reader does: YAML 1.2's core types, and from
 * YAML 1.1 octal numbers with a leading zero and `_` between digits; `yes`, `on` and dates are text.
 */
export function resolvePlainScalar(text: string): null | boolean | number | bigint | WholeFloat | string {
  if (nulls.has(text)) return null;
  if (trues.has(text)) return true;
  if (falses.has(text)) return false;
  const first = text.charCodeAt(0);
  const numeric = (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46;
  if (!numeric) return text;
  const digits = text.replaceAll('_', '');
  const whole = parseInteger(digits);
  if (whole !== undefined) return whole;
  if (float.test(digits)) {
    const value = Number(digits);
    if (!Number.isFinite(value)) return text;
    return Number.isInteger(value) ? new WholeFloat(value) : value;
  }
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^\.(?:nan|NaN|NAN)$/.test(text)) return Number.NaN;
  return text;
}
