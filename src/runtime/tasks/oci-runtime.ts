import { join } from 'node:path';
import { invalid, type Logger, messageOf } from '#base';
import type { Mounts, Processes } from '#host';
import { explainFailure } from './explain-failure.ts';
import { findProgram } from './find-program.ts';
import { type SealedProgram, sealProgram } from './seal-program.ts';

/** An OCI runtime as it is configured. */
export interface RuntimeProgram {
  readonly name: string;
  /** Absolute, or a name to look up in PATH. */
  readonly path: string;
  /** In front of every command. */
  readonly args?: readonly string[];
}

interface FoundProgram extends RuntimeProgram {
  readonly version: string;
  readonly sealed?: SealedProgram | undefined;
}

/** One OCI runtime program (crun, runc) with its state under this engine's exec root. */
export class OciRuntime {
  readonly name: string;
  readonly path: string;
  /** What to run in place of `path`, the arguments in front of each command, and the environment of those who run it. */
  readonly command: { readonly path: string; readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv };
  /** As `--version` tells, such as `1.8.1`. */
  readonly version: string;
  /** Its `--root`: one directory per container. */
  readonly stateRoot: string;
  readonly #program: FoundProgram;
  readonly #processes: Processes;

  constructor(program: FoundProgram, execRoot: string, processes: Processes) {
    this.#program = program;
    this.stateRoot = join(execRoot, 'state', program.name);
    this.command = {
      path: program.sealed?.path ?? program.path,
      args: [...(program.args ?? []), `--root=${this.stateRoot}`],
      env: { PATH: process.env.PATH, ...program.sealed?.env },
    };
    this.name = program.name;
    this.path = program.path;
    this.version = program.version;
    this.#processes = processes;
  }

  /** The same program with its state under another exec root. */
  under(execRoot: string): OciRuntime {
    return new OciRuntime(this.#program, execRoot, this.#processes);
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
    const { code, stderr } = await this.#processes.run(this.command.path, [...this.command.args, ...args], {
      env: this.command.env,
    });
    if (code === 0) return;
    const { text, details } = explainFailure(stderr);
    throw invalid(text || `${this.name} ${args[0]} failed with code ${code}`, { details: { ...details, code } });
  }
}

/**
 * Asks the programs for their versions; those not found are left out. Order is kept. With `mounts` crun and runc are
 * sealed: of others we know too little.
 */
export async function findOciRuntimes(
  programs: readonly RuntimeProgram[],
  options: { execRoot: string; processes: Processes; mounts?: Pick<Mounts, 'mount' | 'unmount'>; logger: Logger },
): Promise<OciRuntime[]> {
  const found = await Promise.all(
    programs.map(async ({ name, path: wanted, args = [] }) => {
      const path = await findProgram(wanted); // conmon takes no bare names
      if (path === undefined) return [];
      const answer = await options.processes.run(path, ['--version']).catch(() => undefined);
      const sealable = name === 'crun' || name === 'runc';
      if (answer?.code !== 0 && sealable) return [];
      const version = /version:? (\S+)/.exec(answer?.stdout ?? '')?.[1] ?? 'unknown';
      const sealed = sealable && options.mounts && (await seal({ name, path }, { ...options, mounts: options.mounts }));
      return [
        new OciRuntime(
          { name, path, args, version, ...(sealed ? { sealed } : {}) },
          options.execRoot,
          options.processes,
        ),
      ];
    }),
  );
  return found.flat();
}

/** Without a seal every run makes its own: slower, not less safe. */
async function seal(
  program: { name: string; path: string },
  options: { execRoot: string; mounts: Pick<Mounts, 'mount' | 'unmount'>; logger: Logger },
): Promise<SealedProgram | undefined> {
  try {
    return await sealProgram(program.path, join(options.execRoot, 'bin', program.name), options.mounts);
  } catch (error) {
    options.logger.warn('cannot mount an OCI runtime read-only', { program: program.path, error: messageOf(error) });
    return undefined;
  }
}
