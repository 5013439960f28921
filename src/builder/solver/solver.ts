import { canceled, Semaphore } from '#base';

/**
 * One operation of a graph. The solver knows nothing of what it does: only what it needs, by what key its result can be
 * found again, and how to run it.
 */
export interface Vertex<Result> {
  /** Operations whose results this one needs, in the order in which `cacheKey` and `run` get them. */
  readonly inputs: readonly Vertex<Result>[];
  /** Work that needs no input and may begin at once, beside the inputs; `cacheKey` and `run` come after it. */
  prepare?(signal: AbortSignal): Promise<void>;
  /** Key of the result, from the inputs' results and all that can change the outcome; undefined is never cached. */
  cacheKey(inputs: readonly Result[], signal: AbortSignal): Promise<string | undefined>;
  run(inputs: readonly Result[], signal: AbortSignal): Promise<Result>;
  /** Makes this vertex's result from what a cache lookup gave. */
  restore(cached: Result, inputs: readonly Result[]): Result;
  /** Told when the inputs are there, when the result is, and when `run` or `cacheKey` threw (not for failed inputs). */
  onStart?(): void;
  onDone?(result: Result, cached: boolean): void;
  onFail?(error: unknown): void;
}

/** Where results are found again. */
export interface ResultCache<Result> {
  find(key: string): Promise<Result | undefined>;
  store(key: string, result: Result): Promise<void>;
}

/** Options of {@link solve}. */
export interface SolveOptions<Result> {
  /** Undefined runs everything. */
  readonly cache: ResultCache<Result> | undefined;
  /** Operations that run at a time. */
  readonly parallel: number;
  readonly signal: AbortSignal;
}

/**
 * Computes the results of `targets` and of all they need, each once; independent operations run at the same time. The
 * first failure stops the others through their signal; all have ended when this rejects with that failure.
 * Throws `canceled` when `signal` aborts.
 */
export async function solve<Result>(
  targets: readonly Vertex<Result>[],
  options: SolveOptions<Result>,
): Promise<Result[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const solver = new Solver<Result>(options, signal, stop);
  const results = targets.map((vertex) => solver.resultOf(vertex));
  await Promise.allSettled(solver.all());
  if (options.signal.aborted) throw canceled('the build was canceled', { cause: options.signal.reason });
  if (solver.failure !== undefined) throw solver.failure.error;
  return Promise.all(results);
}

class Solver<Result> {
  readonly #options: SolveOptions<Result>;
  readonly #signal: AbortSignal;
  readonly #stop: AbortController;
  readonly #slots: Semaphore;
  readonly #results = new Map<Vertex<Result>, Promise<Result>>();
  failure: { readonly error: unknown } | undefined;

  constructor(options: SolveOptions<Result>, signal: AbortSignal, stop: AbortController) {
    this.#options = options;
    this.#signal = signal;
    this.#stop = stop;
    this.#slots = new Semaphore(options.parallel);
  }

  all(): Promise<Result>[] {
    return [...this.#results.values()];
  }

  resultOf(vertex: Vertex<Result>): Promise<Result> {
    let result = this.#results.get(vertex);
    if (result === undefined) {
      const inputs = vertex.inputs.map((input) => this.resultOf(input));
      result = this.#compute(vertex, inputs);
      // Every failure is looked at through `failure`; a consumer that never awaits must not count as unhandled.
      result.catch(() => undefined);
      this.#results.set(vertex, result);
    }
    return result;
  }

  async #compute(vertex: Vertex<Result>, pending: readonly Promise<Result>[]): Promise<Result> {
    const prepared = this.#slots.run(async () => {
      if (vertex.prepare && !this.#signal.aborted) await vertex.prepare(this.#signal);
    });
    prepared.catch(() => undefined);
    const inputs = await Promise.all(pending);
    this.#throwIfStopped();
    try {
      vertex.onStart?.();
      await prepared;
      const { result, cached } = await this.#slots.run(() => this.#findOrRun(vertex, inputs));
      vertex.onDone?.(result, cached);
      return result;
    } catch (error) {
      if (this.failure === undefined && !this.#options.signal.aborted) {
        this.failure = { error };
        vertex.onFail?.(error);
      }
      this.#stop.abort(error);
      throw error;
    }
  }

  async #findOrRun(vertex: Vertex<Result>, inputs: readonly Result[]): Promise<{ result: Result; cached: boolean }> {
    this.#throwIfStopped();
    const { cache } = this.#options;
    const key = await vertex.cacheKey(inputs, this.#signal);
    if (key !== undefined && cache) {
      const found = await cache.find(key);
      if (found !== undefined) return { result: vertex.restore(found, inputs), cached: true };
    }
    this.#throwIfStopped();
    const result = await vertex.run(inputs, this.#signal);
    if (key !== undefined && cache) await cache.store(key, result);
    return { result, cached: false };
  }

  #throwIfStopped(): void {
    if (this.#signal.aborted) throw canceled('the build was canceled');
  }
}
