import type { DockerfileFaults } from '../dockerfile-error.ts';
import { type HeredocStart, parseHeredocWord } from '../parser/read-heredocs.ts';
import { parseJsonForm, splitBlanks } from '../parser/split-words.ts';
import type { SyntaxNode } from '../parser/syntax-tree.ts';
import type { CommandLine, CopySpec, Instruction, InstructionBody } from './instruction.ts';
import type { InstructionInput } from './instruction-input.ts';
import { parseHealthcheck } from './parse-healthcheck.ts';
import { parseMount } from './parse-mount.ts';
import { type FlagValues, readFlags } from './read-flags.ts';
import { readPairs, readWords } from './read-pairs.ts';
import { suggestionText } from './suggest.ts';

const parsers: Readonly<Record<string, (input: InstructionInput) => InstructionBody>> = {
  ADD: parseAdd,
  ARG: parseArg,
  CMD: (input) => ({ kind: 'cmd', command: parseCommand(withoutFlags(input)) }),
  COPY: parseCopy,
  ENTRYPOINT: (input) => ({ kind: 'entrypoint', command: parseCommand(withoutFlags(input)) }),
  ENV: (input) => ({ kind: 'env', pairs: readPairs(withoutFlags(input)) }),
  EXPOSE: (input) => ({ kind: 'expose', ports: atLeastOne(withoutFlags(input), splitBlanks(input.node.rest)) }),
  FROM: parseFrom,
  HEALTHCHECK: (input) => parseHealthcheck(input, parseCommand),
  LABEL: (input) => ({ kind: 'label', pairs: readPairs(withoutFlags(input)) }),
  MAINTAINER: (input) => ({ kind: 'maintainer', name: exactlyOne(withoutFlags(input)) }),
  ONBUILD: parseOnbuild,
  RUN: parseRun,
  SHELL: parseShell,
  STOPSIGNAL: (input) => ({ kind: 'stopsignal', signal: exactlyOne(withoutFlags(input)) }),
  USER: (input) => ({ kind: 'user', user: exactlyOne(withoutFlags(input)) }),
  VOLUME: parseVolume,
  WORKDIR: (input) => ({ kind: 'workdir', path: exactlyOne(withoutFlags(input)) }),
};

/** Turns one node into a typed instruction. Throws `invalid` with Docker's text, file, line and instruction. */
export function parseInstruction(node: SyntaxNode, escapeChar: string, faults: DockerfileFaults): Instruction {
  const fail = (text: string) => faults.instruction(text, node.line, node.keyword);
  const parse = Object.hasOwn(parsers, node.keyword) ? parsers[node.keyword] : undefined;
  if (parse === undefined) {
    throw fail(`unknown instruction: ${node.keyword}${suggestionText(node.keyword, Object.keys(parsers))}`);
  }
  const body = parse({
    node,
    escapeChar,
    fail,
    failSyntax: (text) => faults.syntax(text, node.line, node.keyword),
    flags: (table) => readFlags(node.flags, table, fail),
  });
  return { ...body, node };
}

function withoutFlags(input: InstructionInput): InstructionInput {
  input.flags({});
  return input;
}

function atLeastOne<T>(input: InstructionInput, words: readonly T[]): readonly T[] {
  if (words.length === 0) throw input.fail(`${input.node.keyword} requires at least one argument`);
  return words;
}

function exactlyOne(input: InstructionInput): string {
  if (input.node.rest === '') throw input.fail(`${input.node.keyword} requires exactly one argument`);
  return input.node.rest;
}

function jsonForm(input: InstructionInput, text: string): string[] | undefined {
  const words = parseJsonForm(text);
  if (words === 'mixed') {
    throw input.failSyntax('when using JSON array syntax, arrays must be comprised of strings only');
  }
  return words;
}

function parseCommand(input: InstructionInput, text = input.node.rest): CommandLine {
  const words = jsonForm(input, text);
  return words === undefined ? { form: 'shell', words: text === '' ? [] : [text] } : { form: 'exec', words };
}

function parseFrom(input: InstructionInput): InstructionBody {
  const platform = input.flags({ platform: 'string' }).text('platform');
  const [image = '', as, name, ...more] = splitBlanks(input.node.rest);
  if (image === '' || more.length > 0 || (as !== undefined && (as.toLowerCase() !== 'as' || name === undefined))) {
    throw input.fail('FROM requires either one or three arguments');
  }
  const stage = name?.toLowerCase();
  if (name !== undefined && !/^[a-z][a-z0-9-_.]*$/.test(stage ?? '')) {
    throw input.fail(`invalid name for build stage: "${name}", name can't start with a number or contain symbols`);
  }
  return { kind: 'from', image, name: stage, platform };
}

function parseArg(input: InstructionInput): InstructionBody {
  const words = atLeastOne(withoutFlags(input), readWords(input));
  const args = words.map((word) => {
    const equals = word.indexOf('=');
    if (equals === 0) throw input.fail('ARG names can not be blank');
    return equals < 0 ? { key: word, value: undefined } : { key: word.slice(0, equals), value: word.slice(equals + 1) };
  });
  return { kind: 'arg', args };
}

function parseRun(input: InstructionInput): InstructionBody {
  const flags = input.flags({ device: 'list', mount: 'list', network: 'string', security: 'string' });
  if (flags.list('device').length > 0) throw input.fail('RUN --device is not supported');
  const network = flags.text('network') ?? 'default';
  if (network !== 'default' && network !== 'none' && network !== 'host') {
    throw input.fail(`invalid network mode "${network}"`);
  }
  const security = flags.text('security') ?? 'sandbox';
  if (security !== 'sandbox' && security !== 'insecure') throw input.fail(`security "${security}" is not valid`);
  const command = parseCommand(input);
  const mounts = flags.list('mount').map((text) => parseMount(text, input.fail));
  return { kind: 'run', command, heredocs: input.node.heredocs, mounts, network, security };
}

/** Sources and destination of COPY and ADD; here-documents are taken out of the sources. */
function copyPaths(input: InstructionInput): Pick<CopySpec, 'sources' | 'destination' | 'heredocs'> {
  const words = jsonForm(input, input.node.rest) ?? splitBlanks(input.node.rest);
  const destination = words.at(-1);
  if (words.length < 2 || destination === undefined) {
    throw input.fail(
      `${input.node.keyword} requires at least two arguments, but only one was provided. Destination could not be determined`,
    );
  }
  const announced = (word: string): HeredocStart | undefined =>
    input.node.heredocs.length > 0 ? parseHeredocWord(word) : undefined;
  const sources = words.slice(0, -1).filter((word) => announced(word) === undefined);
  if (announced(destination)) throw input.fail(`${input.node.keyword} cannot accept a heredoc as a destination`);
  return { sources, destination, heredocs: input.node.heredocs };
}

const copyFlags = { chown: 'string', chmod: 'string', link: 'bool', exclude: 'list' } as const;

function copySpec(input: InstructionInput, flags: FlagValues): CopySpec {
  return {
    ...copyPaths(input),
    chown: flags.text('chown'),
    chmod: flags.text('chmod'),
    link: flags.bool('link') ?? false,
    exclude: flags.list('exclude'),
  };
}

function parseCopy(input: InstructionInput): InstructionBody {
  const flags = input.flags({ ...copyFlags, from: 'string', parents: 'bool' });
  const from = flags.text('from');
  return { kind: 'copy', ...copySpec(input, flags), from, parents: flags.bool('parents') ?? false };
}

function parseAdd(input: InstructionInput): InstructionBody {
  const flags = input.flags({ ...copyFlags, checksum: 'string', 'keep-git-dir': 'bool', unpack: 'bool' });
  return {
    kind: 'add',
    ...copySpec(input, flags),
    checksum: flags.text('checksum'),
    keepGitDir: flags.bool('keep-git-dir') ?? false,
    unpack: flags.bool('unpack'),
  };
}

function parseVolume(input: InstructionInput): InstructionBody {
  withoutFlags(input);
  const paths = atLeastOne(input, jsonForm(input, input.node.rest) ?? splitBlanks(input.node.rest));
  if (paths.some((path) => path.trim() === '')) throw input.fail('VOLUME specified can not be an empty string');
  return { kind: 'volume', paths };
}

function parseShell(input: InstructionInput): InstructionBody {
  withoutFlags(input);
  const words = jsonForm(input, input.node.rest);
  if (words === undefined && input.node.rest !== '') {
    throw input.fail('SHELL requires the arguments to be in JSON form');
  }
  return { kind: 'shell', words: atLeastOne(input, words ?? []) };
}

function parseOnbuild(input: InstructionInput): InstructionBody {
  withoutFlags(input);
  if (input.node.rest === '') throw input.fail('ONBUILD requires at least one argument');
  const trigger = (/^\S+/.exec(input.node.rest)?.[0] ?? '').toUpperCase();
  if (trigger === 'ONBUILD') throw input.fail("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (trigger === 'FROM' || trigger === 'MAINTAINER') {
    throw input.fail(`${trigger} isn't allowed as an ONBUILD trigger`);
  }
  const bodies = input.node.heredocs.map((heredoc) => `\n${heredoc.content}${heredoc.name}`);
  return { kind: 'onbuild', trigger: input.node.rest + bodies.join('') };
}
