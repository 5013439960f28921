import { digestOf, isBerthError, messageOf } from '#base';
import type { ImageConfig } from '#oci';
import type { StepLayer, StepOutcome } from '../cache/cache-records.ts';
import type { ContextOrigin, GraphNode, RunOperation } from '../graph/operation.ts';
import type { ResultCache, Vertex } from '../solver/solver.ts';
import type { BuildSession } from './build-session.ts';
import { FileCopy } from './copy-operation.ts';
import { makeDirectory } from './make-directory.ts';
import { runOperation } from './run-operation.ts';
import { cacheKey, type StepResult, scratchResult, stackOutcome } from './step-result.ts';

/** How one kind of operation is keyed and done; `inputs` are the parent's result and then the origins'. */
interface Work {
  prepare?(signal: AbortSignal): Promise<void>;
  key(inputs: readonly StepResult[], signal: AbortSignal): Promise<Readonly<Record<string, unknown>>>;
  run(inputs: readonly StepResult[], signal: AbortSignal): Promise<StepLayer | undefined>;
  /** The history entry, known once `key` has run. */
  createdBy(): string;
}

/** Binds graph nodes to what does them: makes the vertices that the solver solves, one per node. */
export class VertexFactory {
  readonly #session: BuildSession;
  readonly #vertices = new Map<GraphNode, Vertex<StepResult>>();

  constructor(session: BuildSession) {
    this.#session = session;
  }

  vertexOf(node: GraphNode): Vertex<StepResult> {
    let vertex = this.#vertices.get(node);
    if (vertex === undefined) {
      vertex = this.#make(node);
      this.#vertices.set(node, vertex);
    }
    return vertex;
  }

  #make(node: GraphNode): Vertex<StepResult> {
    const { operation, parent } = node;
    const events = stepEvents(this.#session, node);
    if (operation.kind === 'image' || operation.kind === 'scratch' || node.createdBy === '') {
      return {
        inputs: parent === undefined ? [] : [this.vertexOf(parent)],
        cacheKey: async () => undefined,
        run: async ([below]) => {
          if (operation.kind === 'image') return imageResult(this.#session, operation.image);
          return below ?? scratchResult;
        },
        restore: (cached) => cached,
        ...events,
      };
    }
    const origins = originNodes(node);
    const work = this.#workOf(node, origins);
    let key = '';
    const stack = (below: StepResult, outcome: StepOutcome) =>
      stackOutcome(below, outcome, { key, author: node.image.author });
    return {
      inputs: [...(parent === undefined ? [] : [parent]), ...origins].map((input) => this.vertexOf(input)),
      ...(work.prepare && { prepare: work.prepare }),
      cacheKey: async (inputs, signal) => {
        key = cacheKey(await work.key(inputs, signal));
        if (this.#session.isFresh(node.step)) this.#session.freshKeys.add(key);
        return key;
      },
      run: async (inputs, signal) => {
        const layer = await work.run(inputs, signal);
        return stack(first(inputs), { layer, createdBy: work.createdBy(), createdAt: Date.now() });
      },
      restore: (cached, inputs) => {
        if (cached.outcome === undefined) throw new Error('a cached step without an outcome');
        return stack(first(inputs), { ...cached.outcome, createdBy: work.createdBy() });
      },
      ...events,
    };
  }

  #workOf(node: GraphNode, origins: readonly GraphNode[]): Work {
    const { operation } = node;
    const session = this.#session;
    const createdBy = () => node.createdBy;
    switch (operation.kind) {
      case 'run':
        return this.#runWork(node, operation, origins);
      case 'copy': {
        const copy = new FileCopy(session, operation);
        let label = '';
        return {
          prepare: (signal) => copy.prepare(signal),
          key: async (inputs, signal) => {
            ({ label } = await copy.select(inputs[1]?.chainId, signal));
            const { destination, chown, chmod, link, parents, unpackLocal, unpackFetched } = operation;
            const flags = { destination, chown, chmod, link, parents, unpackLocal, unpackFetched };
            return { copy: 1, below: first(inputs).chainId, label, ...flags };
          },
          run: (inputs, signal) => copy.run(first(inputs).chainId, inputs[1]?.chainId, signal),
          createdBy: () => node.createdBy.replace('{}', label),
        };
      }
      case 'workdir':
        return {
          key: async (inputs) => ({
            workdir: 1,
            below: first(inputs).chainId,
            path: operation.path,
            user: operation.user,
          }),
          run: (inputs) => makeDirectory(session, first(inputs).chainId, operation),
          createdBy,
        };
      default:
        return {
          key: async (inputs) => ({ config: 1, below: first(inputs).key, text: node.createdBy, image: node.image }),
          run: async () => undefined,
          createdBy,
        };
    }
  }

  #runWork(node: GraphNode, operation: RunOperation, origins: readonly GraphNode[]): Work {
    const session = this.#session;
    const { request } = session;
    const resultsOf = (inputs: readonly StepResult[]) =>
      new Map(
        origins.flatMap((origin, index): [GraphNode, StepResult][] => {
          const result = inputs[index + 1];
          return result === undefined ? [] : [[origin, result]];
        }),
      );
    return {
      key: async (inputs, signal) => {
        const results = resultsOf(inputs);
        const mounts: unknown[] = [];
        for (const { origin, ...mount } of operation.mounts) {
          const from = origin.kind === 'node' ? results.get(origin.node)?.chainId : origin.kind;
          const files =
            origin.kind === 'context' && mount.type === 'bind'
              ? await contextDigest(session, origin, { path: mount.source, signal })
              : undefined;
          mounts.push({ ...mount, from, files });
        }
        const { args, env, user, workdir, network, privileged, scripts } = operation;
        const mode = network === 'default' ? request.networkMode : network;
        const { extraHosts, shmSize } = request;
        const below = first(inputs).chainId;
        const lent = lentKey(operation);
        return {
          run: 1,
          below,
          args,
          env,
          user,
          workdir,
          mounts,
          mode,
          privileged,
          scripts,
          extraHosts,
          shmSize,
          lent,
        };
      },
      run: (inputs, signal) =>
        runOperation({ session, node, operation, below: first(inputs), origins: resultsOf(inputs), signal }),
      createdBy: () => node.createdBy,
    };
  }
}

/** Finds and stores outcomes in the durable records. What is to be built anew is not found, and stored all the same. */
export class StepCache implements ResultCache<StepResult> {
  readonly #session: BuildSession;

  constructor(session: BuildSession) {
    this.#session = session;
  }

  async find(key: string): Promise<StepResult | undefined> {
    const { services, liveChains, usedKeys, freshKeys } = this.#session;
    if (freshKeys.has(key)) return undefined;
    const outcome = services.records.find(key);
    if (outcome === undefined) return undefined;
    if (outcome.layer) {
      liveChains.add(outcome.layer.chainId);
      if (!(await services.snapshots.has(outcome.layer.chainId))) return undefined;
    }
    usedKeys.push(key);
    return { ...scratchResult, outcome };
  }

  async store(key: string, result: StepResult): Promise<void> {
    if (result.outcome) this.#session.services.records.store(key, result.outcome);
  }
}

/** The config of the image as it is after `node`. */
export function imageConfigOf(node: GraphNode, result: StepResult): ImageConfig {
  const { config, author, platform } = node.image;
  const created = result.history.at(-1)?.created;
  return {
    ...(created !== undefined && { created }),
    ...(author !== undefined && { author }),
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant !== undefined && { variant: platform.variant }),
    config,
    rootfs: { type: 'layers', diff_ids: result.layers.map((layer) => layer.diffId) },
    history: [...result.history],
  };
}

function first(inputs: readonly StepResult[]): StepResult {
  return inputs[0] ?? scratchResult;
}

/** What of secrets and agents may change an outcome: names and places, never a value. Undefined where there are none. */
function lentKey({ secrets, agents }: RunOperation): unknown {
  if (secrets.length + agents.length === 0) return undefined;
  const secretKeys = secrets.map(({ id, target, env, mode, uid, gid }) => ({ id, target, env, mode, uid, gid }));
  const agentKeys = agents.map(({ id, target, mode, uid, gid }) => ({ id, target, mode, uid, gid }));
  return { secrets: secretKeys, agents: agentKeys };
}

function originNodes(node: GraphNode): GraphNode[] {
  const { operation } = node;
  if (operation.kind === 'copy') return operation.origin.kind === 'node' ? [operation.origin.node] : [];
  if (operation.kind !== 'run') return [];
  return operation.mounts.flatMap(({ origin }) => (origin.kind === 'node' ? [origin.node] : []));
}

async function imageResult(
  session: BuildSession,
  image: Parameters<BuildSession['services']['images']['unpack']>[0],
): Promise<StepResult> {
  const chainId = await session.services.images.unpack(image);
  if (chainId !== undefined) session.liveChains.add(chainId);
  const layers = image.layers.map((descriptor, index) => {
    const diffId = image.config.rootfs.diff_ids[index];
    if (diffId === undefined) throw new Error(`image ${image.id} has more layers than diff ids`);
    return { descriptor, diffId };
  });
  return { chainId, layers, history: image.config.history ?? [], key: image.id, outcome: undefined };
}

async function contextDigest(
  session: BuildSession,
  { name }: ContextOrigin,
  { path, signal }: { path: string; signal: AbortSignal },
): Promise<string> {
  const { trees } = session.services;
  const root = await session.contexts.directoryOf(name, signal);
  const matches = await trees.run(
    { kind: 'list', root, patterns: [path.replace(/[*?[\\]/g, '\\$&')], context: true },
    signal,
  );
  const view = { matches, exclude: [], parents: false, keepOwner: false };
  return trees.run({ kind: 'digest', view }, signal);
}

function stepEvents(session: BuildSession, node: GraphNode): Pick<Vertex<StepResult>, 'onStart' | 'onDone' | 'onFail'> {
  const { step } = node;
  if (step === 0) return {};
  const isImage = node.operation.kind === 'image';
  return {
    onStart: () => {
      // The start of a FROM was told when its image was looked up.
      if (node.opensStep && !isImage) session.emit({ kind: 'step-start', step });
    },
    onDone: (result, cached) => {
      if (!node.closesStep) return;
      const imageId = node.operation.kind === 'image' ? node.operation.image.id : undefined;
      const id =
        imageId ?? (result.history.length > 0 || result.layers.length > 0 ? configDigest(node, result) : undefined);
      const containerId = session.containers.get(step);
      session.emit({
        kind: 'step-done',
        step,
        cached,
        ...(id !== undefined && { imageId: id }),
        ...(containerId !== undefined && { containerId }),
      });
    },
    onFail: (error) => session.emit({ kind: 'step-failed', step, message: messageOf(error), ...exitOf(error) }),
  };
}

/** The command and code of a RUN that failed. */
function exitOf(error: unknown): { exit?: { command: string; code: number } } {
  if (!isBerthError(error)) return {};
  const { command, code } = error.details;
  return typeof command === 'string' && typeof code === 'number' ? { exit: { command, code } } : {};
}

function configDigest(node: GraphNode, result: StepResult): ReturnType<typeof digestOf> {
  return digestOf(JSON.stringify(imageConfigOf(node, result)));
}
