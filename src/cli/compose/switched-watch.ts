import type { Client } from '#client';
import { type ProjectContext, prepareWatch } from '#compose';
import type { ComposeInvocation } from './compose-command.ts';
import type { LogPrinter } from './log-printer.ts';
import { watchOptions } from './watch-options.ts';

/** What a {@link SwitchedWatch} is made from. */
export interface SwitchedWatchOptions {
  readonly invocation: ComposeInvocation;
  readonly client: Client;
  readonly services: readonly string[];
  /** Whether images may be built. */
  readonly build: boolean;
  readonly printer: LogPrinter;
  /** Called when what changes asked for has been done. */
  readonly settled: () => void;
  /** Ends it for good. */
  readonly signal: AbortSignal;
}

type Prepared = Awaited<ReturnType<typeof prepareWatch>>;

/** Watching files that can be switched on and off while one looks on. */
export class SwitchedWatch implements Disposable {
  readonly #context: ProjectContext;
  readonly #options: SwitchedWatchOptions;
  #end: AbortController | undefined;
  #run: Promise<void> = Promise.resolve();
  #next: { readonly watch: Prepared; readonly end: AbortController } | undefined;

  constructor(context: ProjectContext, options: SwitchedWatchOptions) {
    this.#context = context;
    this.#options = options;
  }

  get on(): boolean {
    return this.#end !== undefined;
  }

  /** Gets ready to begin; does nothing twice. Throws `invalid` where nothing can be watched. */
  async prepare(): Promise<void> {
    if (this.#next !== undefined) return;
    const { invocation, client, services, build, printer, settled, signal } = this.#options;
    const end = new AbortController();
    const shared = watchOptions(invocation, client, {
      say: (text) => printer.print(printer.remark(text)),
      output: (text) => printer.print(text),
      settled,
    });
    const watch = await prepareWatch(this.#context, {
      ...shared,
      services,
      build,
      quietBuild: invocation.flags.bool('quiet-build'),
      prune: true,
      signal: AbortSignal.any([signal, end.signal]),
    });
    this.#next = { watch, end };
  }

  /** Begins or ends, and says which. Throws where nothing can be watched, and when watching fails. */
  async toggle(told: (on: boolean) => void): Promise<void> {
    if (this.#end !== undefined) {
      this.#end.abort();
      return;
    }
    await this.prepare();
    const { watch, end } = this.#next ?? {};
    this.#next = undefined;
    if (watch === undefined || end === undefined) return;
    this.#end = end;
    told(true);
    const run = watch.run();
    this.#run = run.catch(() => undefined);
    try {
      await run;
      if (!this.#options.signal.aborted) this.#options.printer.print(this.#options.printer.remark('Watch disabled'));
    } finally {
      this.#end = undefined;
      told(false);
    }
  }

  /** Resolves when it has ended. */
  off(): Promise<void> {
    return this.#run;
  }

  [Symbol.dispose](): void {
    this.#end?.abort();
  }
}
