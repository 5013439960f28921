import { join } from 'node:path';
import { invalid } from '#base';
import type { Processes } from '#host';
import { explainFailure } from './explain-failure.ts';
import { findProgram } from './find-program.ts';

/** One OCI runtime program (crun, runc) with its state under this engine's exec root. */
export class OciRuntime {
  readonly name: string;
  readonly path: string;
  /** As `--version` tells, such as `1.8.1`. */
  readonly version: string;
  /** Its `--root`: one directory per container. */
  readonly stateRoot: string;
  readonly #processes: Processes;

  constructor(program: { name: string; path: string; version: string }, execRoot: string, processes: Processes) {
    this.name = program.name;
    this.path = program.path;
    this.version = program.version;
    this.stateRoot = join(execRoot, 'state', program.name);
    this.#processes = processes;
  }

  /** Directory in which it keeps a container; there exactly while it knows the container. */
  stateOf(id: string): string {
    return join(this.stateRoot, id);
  }

  start(id: string): Promise<void> {
    return this.#call(['start', id]);
  }

  pause(id: string): Promise<void> {
    return this.#call(['pause', id]);
  }

  resume(id: string): Promise<void> {
    return this.#call(['resume', id]);
  }

  /** Kills what runs and forgets the container. An unknown one is a success. */
  delete(id: string): Promise<void> {
    return this.#call(['delete', '--force', id]);
  }

  /** Takes new limits from the JSON file at `path`. */
  update(id: string, path: string): Promise<void> {
    return this.#call(['update', '--resources', path, id]);
  }

  /** Runs one command to its end; throws `invalid` with the program's own words. */
  async #call(args: readonly string[]): Promise<void> {
    const { code, stderr } = await this.#processes.run(this.path, [`--root=${this.stateRoot}`, ...args]);
    if (code === 0) return;
    const { text, details } = explainFailure(stderr);
    throw invalid(text || `${this.name} ${args[0]} failed with code ${code}`, { details: { ...details, code } });
  }
}

/** Asks the programs for their versions; those not found are left out. Order is kept. */
export async function findOciRuntimes(
  programs: readonly { name: string; path: string }[],
  options: { execRoot: string; processes: Processes },
): Promise<OciRuntime[]> {
  const found = await Promise.all(
    programs.map(async ({ name, path: wanted }) => {
      const path = await findProgram(wanted); // conmon takes no bare names
      if (path === undefined) return [];
      const answer = await options.processes.run(path, ['--version']).catch(() => undefined);
      if (answer?.code !== 0) return [];
      const version = /version:? (\S+)/.exec(answer.stdout)?.[1] ?? 'unknown';
      return [new OciRuntime({ name, path, version }, options.execRoot, options.processes)];
    }),
  );
  return found.flat();
}
