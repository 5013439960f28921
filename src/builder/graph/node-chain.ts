import { notImplemented } from '#base';
import type { Platform } from '#oci';
import type { CopySpec, Instruction } from '../instructions/instruction.ts';
import type { StageState } from '../plan/stage-state.ts';
import { lowerLentMounts, withAgentAddress } from './lower-lent-mounts.ts';
import { type FindOrigin, lowerMounts } from './lower-mounts.ts';
import type { CopyOperation, GraphNode, Operation } from './operation.ts';

/** The step a node belongs to, and whether it is the step's first and last node. */
export interface StepPart {
  readonly step: number;
  readonly opens: boolean;
  readonly closes: boolean;
}

/** Builds the nodes of one stage, each on top of the one before. */
export class NodeChain {
  readonly #state: StageState;
  readonly #origin: FindOrigin;
  readonly #platform: Platform;
  #last: GraphNode | undefined;
  length = 0;

  constructor(state: StageState, platform: Platform, origin: FindOrigin) {
    this.#state = state;
    this.#origin = origin;
    this.#platform = platform;
  }

  get last(): GraphNode {
    if (this.#last === undefined) throw new Error('an empty stage');
    return this.#last;
  }

  /** Puts the node of FROM: an image, nothing, or what another stage ended with. */
  begin(operation: Operation, parent: GraphNode | undefined, at: { step: number; closes: boolean }): void {
    this.#last = parent;
    this.#push(operation, '', { step: at.step, opens: true, closes: at.closes });
  }

  /** Puts what FROM copies where its base is a tree of files: all of it, into an empty image. */
  addTree(name: string, part: StepPart): void {
    const operation: CopyOperation = {
      kind: 'copy',
      instruction: 'COPY',
      origin: { kind: 'context', name },
      sources: ['.'],
      urls: [],
      heredocs: [],
      destination: '/',
      chown: undefined,
      chmod: undefined,
      exclude: [],
      link: false,
      parents: false,
      unpackLocal: false,
      unpackFetched: false,
      checksum: undefined,
    };
    this.#push(operation, this.#nop('COPY {} in / '), part);
  }

  /** The step that `--label` appends. */
  addLabels(labels: Readonly<Record<string, string>>, step: number): void {
    this.#state.addLabels(labels);
    const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    this.#push({ kind: 'config' }, this.#nop(` LABEL ${pairs.join(' ')}`), { step, opens: true, closes: true });
  }

  /** Adds the node of an instruction. Throws `invalid` with its place. */
  async add(instruction: Instruction, part: StepPart): Promise<void> {
    switch (instruction.kind) {
      case 'from':
        throw new Error('FROM begins a stage');
      case 'run':
        return this.#push(await this.#run(instruction), this.#runText(instruction), part);
      case 'copy':
      case 'add': {
        const operation = await this.#copy(instruction);
        const owner = operation.chown === undefined ? '' : `--chown=${operation.chown} `;
        return this.#push(
          operation,
          this.#nop(`${operation.instruction} ${owner}{} in ${operation.destination} `),
          part,
        );
      }
      case 'workdir': {
        const path = this.#state.setWorkdir(instruction);
        return this.#push({ kind: 'workdir', path, user: this.#state.user }, this.#nop(`WORKDIR ${path}`), part);
      }
      default:
        return this.#push({ kind: 'config' }, this.#nop(` ${this.#state.apply(instruction)}`), part);
    }
  }

  #push(operation: Operation, createdBy: string, part: StepPart): void {
    this.#last = {
      operation,
      parent: this.#last,
      step: part.step,
      opensStep: part.opens,
      closesStep: part.closes,
      createdBy,
      image: { config: this.#state.config, author: this.#state.author, platform: this.#platform },
    };
    this.length++;
  }

  #nop(text: string): string {
    return `${this.#state.shell.join(' ')} #(nop) ${text}`;
  }

  #runText(instruction: Instruction<'run'>): string {
    const args = this.#state.runArgs().map(([name, value]) => `${name}=${value}`);
    const words = this.#runWords(instruction).args.join(' ');
    return args.length === 0 ? words : `|${args.length} ${args.join(' ')} ${words}`;
  }

  /** The command with its here-documents: alone they are the script, else they follow the command line. */
  #runWords(instruction: Instruction<'run'>): { args: string[]; scripts: { name: string; content: string }[] } {
    const { command, heredocs } = instruction;
    const [first] = heredocs;
    if (command.form === 'exec' || first === undefined) {
      return { args: this.#state.commandWords(command), scripts: [] };
    }
    const line = command.words[0] ?? '';
    if (/^<<-?\s*\S+$/.test(line)) {
      if (!first.content.startsWith('#!')) {
        return { args: [...this.#state.shell, first.content], scripts: [] };
      }
      return { args: [`/dev/pipes/${first.name}`], scripts: [{ name: first.name, content: first.content }] };
    }
    const bodies = heredocs.map((heredoc) => `\n${heredoc.content}${heredoc.name}`);
    return { args: [...this.#state.shell, line + bodies.join('')], scripts: [] };
  }

  async #run(instruction: Instruction<'run'>): Promise<Operation> {
    const { args, scripts } = this.#runWords(instruction);
    const lent = lowerLentMounts(instruction, this.#state);
    const declared = this.#state.runArgs().map(([name, value]) => `${name}=${value}`);
    return {
      kind: 'run',
      args,
      env: withAgentAddress([...(this.#state.config.Env ?? []), ...declared], lent.agents),
      quietEnv: this.#state.proxyEnv(),
      user: this.#state.user,
      workdir: this.#state.workdir,
      mounts: await lowerMounts(instruction, this.#state, this.#origin),
      ...lent,
      network: instruction.network,
      privileged: instruction.security === 'insecure',
      scripts,
    };
  }

  async #copy(instruction: Instruction<'copy'> | Instruction<'add'>): Promise<CopyOperation> {
    const spec: CopySpec = instruction;
    const expand = (text: string) => this.#state.expand(text, instruction);
    const optional = (text: string | undefined) => (text === undefined ? undefined : expand(text));
    const paths = spec.sources.map(expand);
    const isUrl = (path: string) => instruction.kind === 'add' && /^https?:\/\//i.test(path);
    const git = paths.find(
      (path) => instruction.kind === 'add' && /^(git@|git:\/\/|ssh:\/\/|https?:\/\/\S+\.git(#|$))/i.test(path),
    );
    if (git !== undefined) {
      throw notImplemented(`line ${instruction.node.line}: ADD of a git repository (${git}) is not supported`);
    }
    const origin =
      instruction.kind === 'copy' ? await this.#origin(instruction.from, instruction) : ({ kind: 'context' } as const);
    return {
      kind: 'copy',
      instruction: instruction.kind === 'copy' ? 'COPY' : 'ADD',
      origin,
      sources: paths.filter((path) => !isUrl(path)),
      urls: paths.filter(isUrl),
      heredocs: spec.heredocs.map((heredoc) =>
        heredoc.expand ? { ...heredoc, content: this.#state.expandBody(heredoc.content, instruction) } : heredoc,
      ),
      destination: this.#state.absolute(expand(spec.destination)),
      chown: optional(spec.chown),
      chmod: optional(spec.chmod),
      exclude: spec.exclude,
      link: spec.link,
      parents: instruction.kind === 'copy' && instruction.parents,
      unpackLocal: instruction.kind === 'add' && instruction.unpack !== false,
      unpackFetched: instruction.kind === 'add' && instruction.unpack === true,
      checksum: instruction.kind === 'add' ? optional(instruction.checksum) : undefined,
    };
  }
}
