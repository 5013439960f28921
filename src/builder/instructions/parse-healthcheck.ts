import { isBerthError, parseDuration } from '#base';
import type { CommandLine, InstructionBody } from './instruction.ts';
import type { InstructionInput } from './instruction-input.ts';

/** Reads HEALTHCHECK. `parseCommand` reads the JSON or shell form of the text it is given. */
export function parseHealthcheck(
  input: InstructionInput,
  parseCommand: (input: InstructionInput, text: string) => CommandLine,
): InstructionBody {
  const flags = input.flags({
    interval: 'string',
    retries: 'string',
    'start-interval': 'string',
    'start-period': 'string',
    timeout: 'string',
  });
  const { rest } = input.node;
  if (rest === '') throw input.fail('HEALTHCHECK requires at least one argument');
  const word = /^\S+/.exec(rest)?.[0] ?? '';
  const type = word.toUpperCase();
  const text = rest.slice(word.length).trim();
  const duration = (name: string) => readDuration(name, flags.text(name), input);
  const times = {
    interval: duration('interval'),
    timeout: duration('timeout'),
    startPeriod: duration('start-period'),
    startInterval: duration('start-interval'),
    retries: readRetries(flags.text('retries'), input),
  };
  if (type === 'NONE') {
    if (text !== '') throw input.fail('HEALTHCHECK NONE takes no arguments');
    return { kind: 'healthcheck', command: undefined, ...times };
  }
  if (type !== 'CMD') throw input.fail(`Unknown type "${type}" in HEALTHCHECK (try CMD)`);
  const command = parseCommand(input, text);
  if (command.words.length === 0) throw input.fail('Missing command after HEALTHCHECK CMD');
  return { kind: 'healthcheck', command, ...times };
}

function readDuration(name: string, text: string | undefined, input: InstructionInput): number {
  if (text === undefined || text === '') return 0;
  try {
    const value = parseDuration(text);
    if (value < 0) throw input.fail(`--${name} cannot be negative (${text})`);
    if (value > 0 && value < 1e6) throw input.fail(`Interval "${name}" cannot be less than 1ms`);
    return value;
  } catch (error) {
    if (isBerthError(error) && error.details.line === undefined) throw input.fail(error.message);
    throw error;
  }
}

function readRetries(text: string | undefined, input: InstructionInput): number {
  if (text === undefined || text === '') return 0;
  if (!/^[+-]?\d+$/.test(text)) throw input.fail(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = Number(text);
  if (value < 0) throw input.fail(`--retries cannot be negative (${value})`);
  if (value > 0x7fffffff) throw input.fail(`strconv.ParseInt: parsing "${text}": value out of range`);
  return value;
}
