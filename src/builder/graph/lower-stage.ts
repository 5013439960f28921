import { BerthError, isBerthError } from '#base';
import type { Image } from '#image';
import type { Platform } from '#oci';
import type { Instruction } from '../instructions/instruction.ts';
import { parseInstruction } from '../instructions/parse-instruction.ts';
import { parseDockerfile } from '../parser/parse-dockerfile.ts';
import { type BuildPlan, type PlannedStage, resolveFrom } from '../plan/build-plan.ts';
import type { StageBase } from '../plan/stage-base.ts';
import { StageState } from '../plan/stage-state.ts';
import { NodeChain } from './node-chain.ts';
import type { FileOrigin, GraphNode, ImageState, Operation } from './operation.ts';

/** What lowering needs from outside. */
export interface LoweringPorts {
  /**
   * The image a stage (`step` is its FROM) or a `from=` (step 0) names; pulls it where it must. `platform` is undefined
   * where the file does not name one.
   */
  image(name: string, platform: Platform | undefined, step: number): Promise<Image>;
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

  async #origin(from: string | undefined, instruction: Instruction, index: number): Promise<FileOrigin> {
    if (from === undefined) return { kind: 'context' };
    let base: StageBase;
    try {
      base = resolveFrom(from, index, this.#plan);
    } catch (error) {
      throw this.#plan.faults.evaluation(
        String((error as Error).message),
        instruction.node.line,
        instruction.node.keyword,
      );
    }
    if (base.kind === 'scratch') return { kind: 'scratch' };
    if (base.kind === 'tree') return { kind: 'context', name: base.name };
    if (base.kind === 'stage') return { kind: 'node', node: (await this.stage(base.index)).last };
    try {
      return { kind: 'node', node: await this.#imageNode(base.name) };
    } catch (error) {
      if (!isBerthError(error)) throw error;
      throw new BerthError(error.kind, `invalid from flag value ${from}: ${error.message}`, { cause: error });
    }
  }

  #imageNode(name: string): Promise<GraphNode> {
    let node = this.#images.get(name);
    if (node === undefined) {
      node = this.#ports.image(name, undefined, 0).then((image) => ({
        operation: { kind: 'image', image },
        parent: undefined,
        step: 0,
        opensStep: false,
        closesStep: false,
        createdBy: '',
        image: imageState(image),
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
      base.kind === 'image'
        ? await this.#ports.image(base.name, stage.from.platform === undefined ? undefined : stage.platform, number)
        : below?.baseImage;
    const fresh: ImageState = { config: {}, author: undefined, platform: stage.platform };
    const start = below?.last.image ?? (baseImage ? imageState(baseImage) : fresh);
    const { OnBuild, ...config } = start.config;
    const triggers = stage.replaced ? [] : (OnBuild ?? []);
    const state = new StageState({
      config,
      author: start.author,
      args: { given: this.#ports.buildArgs, global: this.#plan.globalArgs, automatic: this.#plan.automaticArgs },
      escapeChar: this.#plan.escapeChar,
      faults: this.#plan.faults,
    });
    const chain = new NodeChain(state, start.platform, (from, instruction) =>
      this.#origin(from, instruction, stage.index),
    );
    const operation: Operation =
      base.kind === 'image' && baseImage
        ? { kind: 'image', image: baseImage }
        : { kind: base.kind === 'stage' ? 'config' : 'scratch' };
    const tree = base.kind === 'tree';
    chain.begin(operation, below?.last, { step: number, closes: triggers.length === 0 && !tree });
    if (tree) chain.addTree(base.name, { step: number, opens: false, closes: true });
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

function imageState(image: Image): ImageState {
  const { config = {}, author, os, architecture, variant } = image.config;
  return { config, author, platform: { os, architecture, ...(variant !== undefined && { variant }) } };
}
