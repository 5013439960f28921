import { join } from 'node:path';
import { BerthError, isBerthError, notFound } from '#base';
import type { BuildRequest } from '../builder.ts';
import { type ContextServices, openContext, openTree } from './build-context.ts';

/** The trees of the client's that one build takes files from, below a directory that the build removes. */
export class ContextTrees {
  readonly #directory: string;
  readonly #request: BuildRequest;
  readonly #services: ContextServices;
  readonly #named = new Map<string, Promise<string>>();

  constructor(directory: string, request: BuildRequest, services: ContextServices) {
    this.#directory = directory;
    this.#request = request;
    this.#services = services;
  }

  /** Unpacks the context and returns the Dockerfile's text. Once, before anything else. Throws as `openContext` does. */
  openMain(): Promise<string> {
    return openContext(this.#request, this.#main, this.#services);
  }

  /**
   * Directory of the context, or of the named tree, which is read when it is first asked for; `signal` stops that. Throws
   * what reading throws, naming the context.
   */
  async directoryOf(name: string | undefined, signal: AbortSignal): Promise<string> {
    if (name === undefined) return this.#main;
    let tree = this.#named.get(name);
    if (tree === undefined) {
      tree = this.#read(name, join(this.#directory, `context-${this.#named.size + 1}`), signal);
      this.#named.set(name, tree);
    }
    return tree;
  }

  get #main(): string {
    return join(this.#directory, 'context');
  }

  async #read(name: string, directory: string, signal: AbortSignal): Promise<string> {
    const { contexts = {} } = this.#request;
    const context = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
    if (context?.kind !== 'tree') throw notFound(`no files for the build context ${name}`);
    try {
      const archive = await context.read(signal);
      try {
        await openTree(archive, directory, { ...this.#services, signal });
      } finally {
        archive.destroy();
      }
      return directory;
    } catch (error) {
      if (!isBerthError(error) || error.kind === 'canceled') throw error;
      throw new BerthError(error.kind, `build context ${name}: ${error.message}`, { cause: error });
    }
  }
}
