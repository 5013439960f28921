import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, hexOf } from '#base';
import type { RuntimeSpec } from '#oci';
import type { OciRuntime } from './oci-runtime.ts';

/** crun takes a compiled filter from here, as base64, instead of compiling `linux.seccomp` (crun(1)). */
const annotation = 'run.oci.seccomp_bpf_data';
/** Bytes of one struct sock_filter. */
const instructionSize = 8;

/**
 * Compiled seccomp filters. Compiling Docker's profile takes crun about 15 ms, two thirds of a `create`; it leaves the
 * result in its state, from where it is kept here and given to every later container with the same profile.
 */
export class SeccompCache {
  readonly #directory: string;
  readonly #known = new Map<string, string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The spec with its filter compiled, where that is known; else `spec` itself. */
  async prepare(spec: RuntimeSpec, runtime: OciRuntime): Promise<RuntimeSpec> {
    const key = keyOf(spec, runtime);
    if (key === undefined) return spec;
    const filter = this.#known.get(key) ?? (await this.#load(key));
    return filter === undefined ? spec : { ...spec, annotations: { ...spec.annotations, [annotation]: filter } };
  }

  /** Keeps what the runtime has compiled for the container `id`, just made from `spec`. Failure only costs time. */
  async learn(id: string, spec: RuntimeSpec, runtime: OciRuntime): Promise<void> {
    const key = keyOf(spec, runtime);
    if (key === undefined || this.#known.has(key)) return;
    const filter = await readFile(join(runtime.stateOf(id), 'seccomp.bpf')).catch(() => undefined);
    if (!filter || filter.length === 0 || filter.length % instructionSize !== 0) return;
    const text = filter.toString('base64');
    this.#known.set(key, text);
    const path = join(this.#directory, key);
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await writeFile(`${path}.${id}`, text, { mode: 0o600 });
      await rename(`${path}.${id}`, path);
    } catch {
      // The next daemon compiles it anew.
    }
  }

  async #load(key: string): Promise<string | undefined> {
    const text = await readFile(join(this.#directory, key), 'latin1').catch(() => undefined);
    if (text !== undefined) this.#known.set(key, text);
    return text;
  }
}

/** Undefined where there is nothing to gain: no filter, or a runtime that cannot take one. */
function keyOf(spec: RuntimeSpec, runtime: OciRuntime): string | undefined {
  if (runtime.name !== 'crun' || !spec.linux.seccomp) return undefined;
  return hexOf(digestOf(`${runtime.path} ${runtime.version} ${JSON.stringify(spec.linux.seccomp)}`));
}
