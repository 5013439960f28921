import { isBerthError } from '#base';
import { familiarString, parseReference } from '#oci';
import type { NamedContext } from '../builder.ts';
import type { StageBase } from './stage-base.ts';

/** What of a named context shapes a plan: its files are nothing to it. */
export type PlannedContext = Extract<NamedContext, { kind: 'image' }> | { readonly kind: 'tree' };

/** The named contexts of a build. Names are compared as image names: `docker.io/library/a:latest` is `a`. */
export class NamedContexts {
  readonly #bases = new Map<string, StageBase>();

  constructor(contexts: Readonly<Record<string, PlannedContext>>) {
    for (const [name, context] of Object.entries(contexts)) {
      const base: StageBase =
        context.kind === 'tree' ? { kind: 'tree', name } : { kind: 'image', name: context.reference };
      this.#bases.set(familiar(name), base);
    }
  }

  /** What `name` means as a context: files under the name that the client gave them, or an image. */
  find(name: string): StageBase | undefined {
    return this.#bases.size === 0 ? undefined : this.#bases.get(familiar(name));
  }
}

function familiar(name: string): string {
  try {
    return familiarString(parseReference(name)).replace(/:latest$/, '');
  } catch (error) {
    // No image is called so, but a stage may be.
    if (isBerthError(error, 'invalid')) return name;
    throw error;
  }
}
