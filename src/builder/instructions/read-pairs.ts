import { splitWords } from '../parser/split-words.ts';
import type { RawPair } from './instruction.ts';
import type { InstructionInput } from './instruction-input.ts';

/** The words of ARG, quotes kept. */
export function readWords(input: Pick<InstructionInput, 'node' | 'escapeChar'>): string[] {
  return splitWords(input.node.rest, input.escapeChar);
}

/** The pairs of ENV and LABEL: `k=v ...`, or the old form `k anything up to the end`. */
export function readPairs(input: InstructionInput): RawPair[] {
  const { keyword, rest } = input.node;
  const words = readWords(input);
  const first = words[0];
  if (first === undefined) throw input.fail(`${keyword} requires at least one argument`);
  const pairs = first.includes('=') ? words.map((word) => splitPair(word, input)) : [splitOldForm(rest, input)];
  if (pairs.some((pair) => pair.key === '')) throw input.fail(`${keyword} names can not be blank`);
  return pairs;
}

function splitPair(word: string, input: InstructionInput): RawPair {
  const equals = word.indexOf('=');
  if (equals < 0) {
    throw input.failSyntax(`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`);
  }
  return { key: word.slice(0, equals), value: word.slice(equals + 1) };
}

function splitOldForm(rest: string, input: InstructionInput): RawPair {
  const match = /^(\S+)\s+([\s\S]+)$/.exec(rest);
  if (match === null) throw input.failSyntax(`${input.node.keyword} must have two arguments`);
  return { key: match[1] ?? '', value: match[2] ?? '' };
}
