import { posix } from 'node:path';
import { notImplemented } from '#base';
import type { Image } from '#image';
import type { Platform } from '#oci';
import type { CopySpec, Instruction, MountFlag } from '../instructions/instruction.ts';
import { parseInstruction } from '../instructions/parse-instruction.ts';
import { parseDockerfile } from '../parser/parse-dockerfile.ts';
import { type BuildPlan, type PlannedStage, resolveFrom, type StageBase } from '../plan/build-plan.ts';
import { StageState } from '../plan/stage-state.ts';
import type { CopyOperation, FileOrigin, GraphNode, ImageState, Operation, RunMount } from './operation.ts';

/** What lowering needs from outside. */
export interface LoweringPorts {
  /** The image a stage (`step` is its FROM) or a `from=` (step 0) names; pulls it where it must. */
  image(name: string, platform: Platform, step: number): Promise<Image>;
  readonly buildArgs: Readonly<Record<string, string | null>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** A stage as nodes: the last one, and whether the stage added anything to its base. */
export interface LoweredStage {
  readonly last: GraphNode;
  readonly baseImage: Image | undefined;
  /** True when the stage is its base image and nothing else. */
  readonly unchanged: boolean;
}

/** Turns planned stages into a graph of operations; each stage once, stages that others need first. */
export class StageLowering {
  readonly #plan: BuildPlan;
  readonly #ports: LoweringPorts;
  readonly #stages = new Map<number, Promise<LoweredStage>>();
  readonly #images = new Map<string, Promise<GraphNode>>();

  constructor(plan: BuildPlan, ports: LoweringPorts) {
    this.#plan = plan;
    this.#ports = ports;
  }

  /** Throws `invalid` with the instruction's place, and what resolving images throws. */
  stage(index: number): Promise<LoweredStage> {
    let lowered = this.#stages.get(index);
    if (lowered === undefined) {
      const stage = this.#plan.stages[index];
      if (stage === undefined) throw new Error(`no stage ${index}`);
      lowered = this.#lower(stage);
      lowered.catch(() => undefined);
      this.#stages.set(index, lowered);
    }
    return lowered;
  }

  /** The file system that a `from=` names, seen from stage `index`. */
  async origin(from: string | undefined, instruction: Instruction, index: number): Promise<FileOrigin> {
    if (from === undefined) return { kind: 'context' };
    let base: StageBase;
    try {
      base = resolveFrom(from, index, this.#plan.stages);
    } catch (error) {
      throw this.#plan.faults.evaluation(
        String((error as Error).message),
        instruction.node.line,
        instruction.node.keyword,
      );
    }
    if (base.kind === 'scratch') return { kind: 'scratch' };
    if (base.kind === 'stage') return { kind: 'node', node: (await this.stage(base.index)).last };
    const platform = this.#plan.target.platform;
    return { kind: 'node', node: await this.#imageNode(base.name, platform) };
  }

  #imageNode(name: string, platform: Platform): Promise<GraphNode> {
    let node = this.#images.get(name);
    if (node === undefined) {
      node = this.#ports.image(name, platform, 0).then((image) => ({
        operation: { kind: 'image', image },
        parent: undefined,
        step: 0,
        opensStep: false,
        closesStep: false,
        createdBy: '',
        image: { config: image.config.config ?? {}, author: image.config.author, platform },
      }));
      node.catch(() => undefined);
      this.#images.set(name, node);
    }
    return node;
  }

  async #lower(stage: PlannedStage): Promise<LoweredStage> {
    const { base } = stage;
    const number = this.#plan.numbers.get(stage.from) ?? 0;
    const below = base.kind === 'stage' ? await this.stage(base.index) : undefined;
    const baseImage =
      base.kind === 'image' ? await this.#ports.image(base.name, stage.platform, number) : below?.baseImage;
    const start: ImageState = below?.last.image ?? {
      config: baseImage?.config.config ?? {},
      author: baseImage?.config.author,
      platform: stage.platform,
    };
    const { OnBuild: triggers = [], ...config } = start.config;
    const state = new StageState({
      config,
      author: start.author,
      args: { given: this.#ports.buildArgs, global: this.#plan.globalArgs, automatic: this.#plan.automaticArgs },
      escapeChar: this.#plan.escapeChar,
      faults: this.#plan.faults,
    });
    const chain = new NodeChain(stage, state, this, start.platform);
    const operation: Operation =
      base.kind === 'image' && baseImage
        ? { kind: 'image', image: baseImage }
        : { kind: base.kind === 'stage' ? 'config' : 'scratch' };
    chain.begin(operation, below?.last, { step: number, closes: triggers.length === 0 });
    for (const [index, trigger] of triggers.entries()) {
      const last = index === triggers.length - 1;
      for (const instruction of this.#trigger(trigger, stage)) {
        await chain.add(instruction, { step: number, opens: false, closes: last });
      }
    }
    for (const instruction of stage.instructions) {
      const step = this.#plan.numbers.get(instruction) ?? 0;
      await chain.add(instruction, { step, opens: true, closes: true });
    }
    const labels = stage === this.#plan.target ? this.#ports.labels : {};
    if (Object.keys(labels).length > 0) chain.addLabels(labels, this.#plan.steps.length);
    const unchanged = chain.length === 1 && (base.kind === 'image' || (below?.unchanged ?? false));
    return { last: chain.last, baseImage, unchanged };
  }

  #trigger(text: string, stage: PlannedStage): Instruction[] {
    const { faults } = this.#plan;
    const { line } = stage.from.node;
    return parseDockerfile(text, 'ONBUILD').nodes.map((node) => {
      if (['ONBUILD', 'FROM', 'MAINTAINER'].includes(node.keyword)) {
        throw faults.evaluation(`${node.keyword} isn't allowed as an ONBUILD trigger`, line, 'FROM');
      }
      return parseInstruction({ ...node, line }, '\\', faults);
    });
  }
}

interface StepPart {
  readonly step: number;
  readonly opens: boolean;
  readonly closes: boolean;
}

/** Builds the nodes of one stage, each on top of the one before. */
class NodeChain {
  readonly #stage: PlannedStage;
  readonly #state: StageState;
  readonly #lowering: StageLowering;
  readonly #platform: Platform;
  #last: GraphNode | undefined;
  length = 0;

  constructor(stage: PlannedStage, state: StageState, lowering: StageLowering, platform: Platform) {
    this.#stage = stage;
    this.#state = state;
    this.#lowering = lowering;
    this.#platform = platform;
  }

  get last(): GraphNode {
    if (this.#last === undefined) throw new Error('an empty stage');
    return this.#last;
  }

  begin(operation: Operation, parent: GraphNode | undefined, at: { step: number; closes: boolean }): void {
    this.#last = parent;
    this.#push(operation, '', { step: at.step, opens: true, closes: at.closes });
  }

  addLabels(labels: Readonly<Record<string, string>>, step: number): void {
    this.#state.addLabels(labels);
    const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    this.#push({ kind: 'config' }, this.#nop(` LABEL ${pairs.join(' ')}`), { step, opens: true, closes: true });
  }

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
    const mounts: RunMount[] = [];
    for (const mount of instruction.mounts) mounts.push(await this.#mount(mount, instruction));
    const declared = this.#state.runArgs().map(([name, value]) => `${name}=${value}`);
    return {
      kind: 'run',
      args,
      env: [...(this.#state.config.Env ?? []), ...declared],
      quietEnv: this.#state.proxyEnv(),
      user: this.#state.user,
      workdir: this.#state.workdir,
      mounts,
      network: instruction.network,
      privileged: instruction.security === 'insecure',
      scripts,
    };
  }

  async #mount(mount: MountFlag, instruction: Instruction<'run'>): Promise<RunMount> {
    const { type } = mount;
    if (type === 'secret' || type === 'ssh') {
      throw notImplemented(`line ${instruction.node.line}: RUN --mount=type=${type} is not supported by this builder`);
    }
    const expand = (text: string | undefined) => this.#state.expand(text ?? '', instruction);
    const target = posix.resolve('/', this.#state.workdir, expand(mount.target));
    const origin: FileOrigin =
      type === 'bind' ? await this.#lowering.origin(mount.from, instruction, this.#stage.index) : { kind: 'scratch' };
    if (type === 'cache' && (mount.from ?? mount.source) !== undefined) {
      throw notImplemented(`line ${instruction.node.line}: from and source of a cache mount are not supported`);
    }
    return {
      type,
      target,
      source: posix.resolve('/', expand(mount.source)),
      origin,
      readonly: mount.readonly,
      id: mount.id === undefined ? target : expand(mount.id),
      sharing: mount.sharing,
      size: mount.size,
      mode: mount.mode ?? 0o755,
      uid: mount.uid ?? 0,
      gid: mount.gid ?? 0,
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
      instruction.kind === 'copy'
        ? await this.#lowering.origin(instruction.from, instruction, this.#stage.index)
        : ({ kind: 'context' } as const);
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
