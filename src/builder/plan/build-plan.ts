import { invalid, isBerthError } from '#base';
import { hostPlatform, type Platform, parsePlatform } from '#oci';
import type { BuildStep } from '../builder.ts';
import { DockerfileFaults } from '../dockerfile-error.ts';
import type { Instruction } from '../instructions/instruction.ts';
import { parseInstruction } from '../instructions/parse-instruction.ts';
import { parseDockerfile } from '../parser/parse-dockerfile.ts';
import { expandFailure, expandWord, type Lookup } from './expand.ts';
import { NamedContexts, type PlannedContext } from './named-contexts.ts';
import { platformArgs, proxyArgs } from './platform-args.ts';
import type { StageBase } from './stage-base.ts';

/** One `FROM` and what follows it. */
export interface PlannedStage {
  /** Position in the file, from 0. */
  readonly index: number;
  readonly name: string | undefined;
  readonly from: Instruction<'from'>;
  readonly base: StageBase;
  readonly platform: Platform;
  readonly instructions: readonly Instruction[];
  /** A named context stands for this stage: there are no instructions, and triggers of its image do not run. */
  readonly replaced: boolean;
}

/** A whole Dockerfile with its global arguments resolved and the stages that the target needs chosen. */
export interface BuildPlan {
  /** All stages by index. */
  readonly stages: readonly PlannedStage[];
  readonly target: PlannedStage;
  readonly contexts: NamedContexts;
  readonly steps: readonly BuildStep[];
  /** Step number of each instruction that runs; the instructions of unneeded stages have none. */
  readonly numbers: ReadonlyMap<Instruction, number>;
  /** Steps of the arguments before the first FROM: they are done as soon as the build begins. */
  readonly globalSteps: readonly number[];
  /** Arguments before the first FROM and their values. */
  readonly globalArgs: ReadonlyMap<string, string | undefined>;
  readonly automaticArgs: ReadonlyMap<string, string>;
  readonly escapeChar: string;
  readonly faults: DockerfileFaults;
  readonly warnings: readonly { readonly message: string; readonly line: number }[];
}

/** What of the request shapes the plan. */
export interface PlanOptions {
  readonly file: string;
  readonly target?: string | undefined;
  readonly buildArgs: Readonly<Record<string, string | null>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly platform?: Platform | undefined;
  readonly contexts?: Readonly<Record<string, PlannedContext>> | undefined;
}

/** Reads a Dockerfile and plans its stages. Throws `invalid` with file, line and instruction. */
export function planBuild(text: string, options: PlanOptions): BuildPlan {
  const tree = parseDockerfile(text, options.file);
  const faults = new DockerfileFaults(options.file);
  const { escape: escapeChar } = tree.directives;
  const instructions = tree.nodes.map((node) => parseInstruction(node, escapeChar, faults));
  const firstFrom = instructions.findIndex((instruction) => instruction.kind === 'from');
  const globals = instructions.slice(0, firstFrom < 0 ? instructions.length : firstFrom);
  const stray = globals.find((instruction) => instruction.kind !== 'arg');
  if (stray || firstFrom < 0) {
    const { line, keyword } = (stray ?? instructions[0])?.node ?? { line: 1, keyword: 'nothing' };
    throw faults.evaluation('no build stage in current context', line, keyword);
  }
  const platform = options.platform ?? hostPlatform();
  const groups = groupStages(instructions.slice(firstFrom));
  const targetIndex = findTarget(groups, options.target);
  const targetName = groups[targetIndex]?.from.name ?? 'default';
  const automaticArgs = platformArgs(hostPlatform(), platform, targetName);
  const scope = new GlobalScope(options.buildArgs, automaticArgs, escapeChar, faults);
  for (const instruction of globals) if (instruction.kind === 'arg') scope.declare(instruction);
  const contexts = new NamedContexts(options.contexts ?? {});
  const stages = groups.map((group, index) => planStage(group, index, groups, { scope, platform, contexts, faults }));
  const target = stages[targetIndex];
  if (target === undefined) throw new Error('a target without a stage');
  const needed = neededStages({ stages, contexts }, target);
  const { steps, numbers } = numberSteps(globals, needed, options.labels);
  const globalSteps = globals.map((_, index) => index + 1);
  const { args: globalArgs } = scope;
  return {
    stages,
    target,
    contexts,
    steps,
    numbers,
    globalSteps,
    globalArgs,
    automaticArgs,
    escapeChar,
    faults,
    warnings: tree.warnings,
  };
}

interface StageGroup {
  readonly from: Instruction<'from'>;
  readonly instructions: Instruction[];
}

function groupStages(instructions: readonly Instruction[]): StageGroup[] {
  const groups: StageGroup[] = [];
  for (const instruction of instructions) {
    if (instruction.kind === 'from') groups.push({ from: instruction, instructions: [] });
    else groups.at(-1)?.instructions.push(instruction);
  }
  return groups;
}

function findTarget(groups: readonly StageGroup[], target: string | undefined): number {
  if (target === undefined || target === '') return groups.length - 1;
  const named = groups.findIndex((group) => group.from.name === target.toLowerCase());
  if (named >= 0) return named;
  if (/^\d+$/.test(target) && Number(target) < groups.length) return Number(target);
  throw invalid(`target stage "${target}" could not be found`);
}

class GlobalScope {
  readonly args = new Map<string, string | undefined>();
  readonly #buildArgs: Readonly<Record<string, string | null>>;
  readonly #automatic: ReadonlyMap<string, string>;
  readonly #escapeChar: string;
  readonly #faults: DockerfileFaults;

  constructor(
    buildArgs: Readonly<Record<string, string | null>>,
    automatic: ReadonlyMap<string, string>,
    escapeChar: string,
    faults: DockerfileFaults,
  ) {
    this.#buildArgs = buildArgs;
    this.#automatic = automatic;
    this.#escapeChar = escapeChar;
    this.#faults = faults;
  }

  declare(instruction: Instruction<'arg'>): void {
    for (const { key, value } of instruction.args) {
      const given = Object.hasOwn(this.#buildArgs, key) ? this.#buildArgs[key] : undefined;
      const standard = value === undefined ? this.#automatic.get(key) : this.expand(value, instruction);
      this.args.set(key, given ?? standard);
    }
  }

  expand(text: string, instruction: Instruction): string {
    const lookup: Lookup = (name) => this.args.get(name) ?? this.#automatic.get(name);
    return expandIn(instruction, this.#faults, () => expandWord(text, lookup, this.#escapeChar), text);
  }
}

/** Runs an expansion of `text` and gives its failure the instruction's place. */
export function expandIn<T>(instruction: Instruction, faults: DockerfileFaults, expand: () => T, text: string): T {
  try {
    return expand();
  } catch (error) {
    if (!(error instanceof Error) || isBerthError(error)) throw error;
    throw faults.evaluation(expandFailure(text, error), instruction.node.line, instruction.node.keyword);
  }
}

interface StageContext {
  readonly scope: GlobalScope;
  readonly platform: Platform;
  readonly contexts: NamedContexts;
  readonly faults: DockerfileFaults;
}

function planStage(
  group: StageGroup,
  index: number,
  groups: readonly StageGroup[],
  context: StageContext,
): PlannedStage {
  const { from } = group;
  const { scope, contexts, faults } = context;
  const fail = (text: string) => faults.evaluation(text, from.node.line, 'FROM');
  const image = scope.expand(from.image, from);
  if (image === '') throw fail(`base name (${from.image}) should not be blank`);
  let platform = context.platform;
  if (from.platform !== undefined) {
    const text = scope.expand(from.platform, from);
    try {
      platform = text === '' ? platform : parsePlatform(text);
    } catch {
      throw fail(`failed to parse platform ${text}: want os/arch or os/arch/variant`);
    }
  }
  const instead = from.name === undefined ? undefined : contexts.find(from.name);
  if (instead) return { index, name: from.name, from, base: instead, platform, instructions: [], replaced: true };
  const earlier = groups.slice(0, index).findLastIndex((other) => other.from.name === image.toLowerCase());
  const base: StageBase = earlier >= 0 ? { kind: 'stage', index: earlier } : baseOf(image, contexts);
  return { index, name: from.name, from, base, platform, instructions: group.instructions, replaced: false };
}

/** What a name means that no stage has: `scratch` is always nothing. */
function baseOf(name: string, contexts: NamedContexts): StageBase {
  if (name === 'scratch') return { kind: 'scratch' };
  return contexts.find(name) ?? { kind: 'image', name };
}

/**
 * What a `from=` of COPY or a mount inside stage `index` names: an earlier stage by name or number, a named context (which
 * may stand for a later stage too), else an image. Throws a plain Error with Docker's text for the stage itself.
 */
export function resolveFrom(
  value: string,
  index: number,
  { stages, contexts }: Pick<BuildPlan, 'stages' | 'contexts'>,
): StageBase {
  const earlier = stages.slice(0, index).findLastIndex((stage) => stage.name === value.toLowerCase());
  if (earlier >= 0) return { kind: 'stage', index: earlier };
  if (/^\d+$/.test(value)) {
    const number = Number(value);
    if (number === index) throw new Error(`invalid from flag value ${value}: refers to current build stage`);
    if (number > index) throw new Error(`invalid from flag value ${value}: no such stage before this one`);
    return { kind: 'stage', index: number };
  }
  return baseOf(value, contexts);
}

/** Names of stages or images that an instruction takes files from. */
function fromNames(instruction: Instruction): string[] {
  if (instruction.kind === 'copy') return instruction.from === undefined ? [] : [instruction.from];
  if (instruction.kind !== 'run') return [];
  return instruction.mounts.map((mount) => mount.from).filter((name) => name !== undefined);
}

function neededStages(plan: Pick<BuildPlan, 'stages' | 'contexts'>, target: PlannedStage): PlannedStage[] {
  const { stages } = plan;
  const needed = new Set<PlannedStage>();
  const visit = (stage: PlannedStage | undefined) => {
    if (stage === undefined || needed.has(stage)) return;
    needed.add(stage);
    if (stage.base.kind === 'stage') visit(stages[stage.base.index]);
    for (const name of stage.instructions.flatMap(fromNames)) {
      try {
        const found = resolveFrom(name, stage.index, plan);
        if (found.kind === 'stage') visit(stages[found.index]);
      } catch {
        // A bad reference is reported when its instruction is reached.
      }
    }
  };
  visit(target);
  return stages.filter((stage) => needed.has(stage));
}

function numberSteps(
  globals: readonly Instruction[],
  needed: readonly PlannedStage[],
  labels: Readonly<Record<string, string>>,
): { steps: BuildStep[]; numbers: Map<Instruction, number> } {
  const steps: BuildStep[] = [];
  const numbers = new Map<Instruction, number>();
  const add = (instruction: Instruction, stage: string) => {
    numbers.set(instruction, steps.length + 1);
    const { original: text, line } = instruction.node;
    steps.push({ number: steps.length + 1, text, stage, line });
  };
  for (const instruction of globals) add(instruction, '');
  for (const stage of needed) {
    const name = stage.name ?? String(stage.index);
    for (const instruction of [stage.from, ...stage.instructions]) add(instruction, name);
  }
  const last = steps.at(-1);
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  if (last && pairs.length > 0) {
    steps.push({ number: steps.length + 1, text: `LABEL ${pairs.join(' ')}`, stage: last.stage, line: last.line });
  }
  return { steps, numbers };
}

/** Names of build arguments that no ARG of the file declares and that are not predefined. */
export function unusedBuildArgs(plan: BuildPlan, buildArgs: Readonly<Record<string, string | null>>): string[] {
  const declared = new Set([...plan.globalArgs.keys()]);
  for (const stage of plan.stages) {
    for (const instruction of stage.instructions) {
      if (instruction.kind === 'arg') for (const { key } of instruction.args) declared.add(key);
    }
  }
  return Object.keys(buildArgs)
    .filter((name) => !declared.has(name) && !proxyArgs.has(name))
    .sort();
}
