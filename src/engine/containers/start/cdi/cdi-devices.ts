import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, invalid, isBerthError } from '#base';
import { type CdiEdits, type CdiSpec, parseCdiSpec } from './cdi-spec.ts';

/** Where vendors put their specs; a later directory overrides an earlier one (Container Device Interface 1.0). */
export const cdiDirectories = ['/etc/cdi', '/var/run/cdi'];

/** The devices of all CDI files, read when a container that asks for one starts. */
export class CdiDevices {
  readonly #specs: ReadonlyMap<string, CdiSpec>;
  readonly #faults: readonly string[];

  private constructor(specs: ReadonlyMap<string, CdiSpec>, faults: readonly string[]) {
    this.#specs = specs;
    this.#faults = faults;
  }

  /** Reads all files; one that is none counts as absent, and is named where a device is then missed. */
  static async read(directories: readonly string[]): Promise<CdiDevices> {
    const devices = new Map<string, CdiSpec>();
    const faults: string[] = [];
    for (const directory of directories) {
      const here = new Map<string, CdiSpec>();
      const twice = new Set<string>();
      for (const spec of await readSpecs(directory, faults)) {
        for (const { name } of spec.devices) {
          const full = `${spec.kind}=${name}`;
          if (here.has(full)) twice.add(full);
          here.set(full, spec);
        }
      }
      for (const [full, spec] of here) devices.set(full, spec);
      // Two files of equal rank that mean different things by one name: neither is meant.
      for (const full of twice) {
        devices.delete(full);
        faults.push(`${full} is in more than one file of ${directory}`);
      }
    }
    return new CdiDevices(devices, faults);
  }

  /** True when there is a device of this kind. */
  has(kind: string): boolean {
    return [...this.#specs.values()].some((spec) => spec.kind === kind);
  }

  /** The edits of devices by full name, those common to a file first and once. Throws `invalid` with Docker's text. */
  edits(names: readonly string[]): CdiEdits[] {
    const missing = names.filter((name) => !this.#specs.has(name));
    if (missing.length > 0) {
      const why = this.#faults.length > 0 ? ` (${this.#faults.join('; ')})` : '';
      throw invalid(`CDI device injection failed: unresolvable CDI devices ${missing.join(', ')}${why}`);
    }
    const common = new Set<CdiSpec>();
    return names.flatMap((name) => {
      const spec = this.#specs.get(name);
      const device = spec?.devices.find((one) => `${spec.kind}=${one.name}` === name);
      const first = spec !== undefined && !common.has(spec) ? [spec.containerEdits ?? {}] : [];
      if (spec !== undefined) common.add(spec);
      return [...first, device?.containerEdits ?? {}];
    });
  }
}

async function readSpecs(directory: string, faults: string[]): Promise<CdiSpec[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  });
  const specs: CdiSpec[] = [];
  for (const name of names.filter((one) => /\.(json|ya?ml)$/.test(one)).sort()) {
    const path = join(directory, name);
    try {
      specs.push(parseCdiSpec(await readFile(path, 'utf8'), path));
    } catch (error) {
      if (!isBerthError(error, 'invalid') && errnoOf(error) !== 'ENOENT') throw error;
      if (isBerthError(error)) faults.push(error.message);
    }
  }
  return specs;
}
