import { invalid, parseByteSize, parseDuration } from '#base';
import type { FlagSpec } from './flag-spec.ts';
import type { FlagValue } from './flag-values.ts';

const trueWords = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const falseWords = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** Reads a boolean with Go's words. Throws `invalid` with strconv's text. */
export function readBool(text: string): boolean {
  if (trueWords.has(text)) return true;
  if (falseWords.has(text)) return false;
  throw invalid(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function readInt(text: string, typeWord: string): number {
  const unsigned = typeWord.startsWith('uint');
  const go = unsigned ? 'ParseUint' : 'ParseInt';
  const match = /^([+-]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9]\d*|0)$/.exec(text);
  if (!match || (unsigned && match[1] !== '')) {
    throw invalid(`strconv.${go}: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const digits = (match[2] ?? '0').replace(/^0(?=[0-7])/, '0o');
  const value = Number(digits) * (match[1] === '-' ? -1 : 1);
  const limit = typeWord === 'uint16' ? 0xffff : typeWord === 'uint32' ? 0xffffffff : 2 ** 63;
  if (Math.abs(value) > limit) throw invalid(`strconv.${go}: parsing ${JSON.stringify(text)}: value out of range`);
  return value;
}

/** Splits one line of comma-separated values, quotes respected (`a,"b,c"`). */
export function splitCsv(line: string): string[] {
  const fields: string[] = [];
  let at = 0;
  while (at <= line.length) {
    if (line[at] === '"') {
      let field = '';
      for (at += 1; at < line.length; at += 1) {
        if (line[at] !== '"') field += line[at];
        else if (line[at + 1] === '"') {
          field += '"';
          at += 1;
        } else break;
      }
      if (line[at] !== '"')
        throw invalid(`parse error on line 1, column ${line.length + 1}: extraneous or missing " in quoted-field`);
      fields.push(field);
      at += 2;
      if (at > line.length) return fields;
    } else {
      const comma = line.indexOf(',', at);
      const end = comma === -1 ? line.length : comma;
      const field = line.slice(at, end);
      if (field.includes('"')) {
        throw invalid(`parse error on line 1, column ${at + field.indexOf('"') + 1}: bare " in non-quoted-field`);
      }
      fields.push(field);
      at = end + 1;
    }
  }
  return fields;
}

/**
 * Reads one word as the value of `spec`. Lists come back with one element.
 * Throws `invalid`; the caller adds which flag it was.
 */
export function readValue(spec: FlagSpec, text: string): FlagValue {
  switch (spec.kind) {
    case 'bool':
      return readBool(text);
    case 'int':
      return readInt(text, spec.typeWord);
    case 'float': {
      const value = Number(text);
      if (text.trim() === '' || Number.isNaN(value)) {
        throw invalid(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
      }
      return value;
    }
    case 'decimal':
      if (!/^[+-]?(\d+(\.\d*)?|\.\d+|\d+\/\d+)([eE][+-]?\d+)?$/.test(text)) {
        throw invalid(`failed to parse ${text} as a rational number`);
      }
      return text;
    case 'duration':
      return parseDuration(text);
    case 'bytes':
      return text === '-1' ? -1 : parseByteSize(text);
    case 'strings':
      return text === '' ? [] : splitCsv(text);
    case 'map':
      if (!text.includes('=')) throw invalid(`${text} must be formatted as key=value`);
      return [text];
    case 'list':
      if (spec.typeWord === 'filter') {
        if (text.trim() !== '' && !text.includes('=')) throw invalid('bad format of filter (expected name=value)');
        return [text];
      }
      return [text];
    case 'string':
      return text;
  }
}
