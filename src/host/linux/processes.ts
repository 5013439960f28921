import { constants } from 'node:os';
import { internal, unavailable } from '#base';
import type { Child, NetworkNamespaces, Processes, SpawnOptions } from '../host.ts';
import { startChild } from './child.ts';

type RunOptions = NonNullable<Parameters<Processes['run']>[2]>;
type NamespaceOptions = SpawnOptions & { netns?: string };

/** Most bytes of output (both streams together) that `run` keeps; a helper that says more is out of hand. */
const maxOutput = 64 * 1024 * 1024;

/** Starts programs with posix_spawn(3); `netns` goes through `namespaces.enter`, which must be given for that. */
export function createProcesses(options: { namespaces?: Pick<NetworkNamespaces, 'enter'> } = {}): Processes {
  return new LinuxProcesses(options.namespaces);
}

class LinuxProcesses implements Processes {
  readonly #namespaces: Pick<NetworkNamespaces, 'enter'> | undefined;

  constructor(namespaces: Pick<NetworkNamespaces, 'enter'> | undefined) {
    this.#namespaces = namespaces;
  }

  async run(command: string, args: readonly string[], options: RunOptions = {}) {
    const { signal } = options;
    if (signal?.aborted) throw unavailable(`${command}: canceled before it started`);
    const child = this.#start(command, args, {
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...picked(options),
    });
    return new Promise<{ code: number; stdout: string; stderr: string }>((resolve, reject) => {
      const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
      let kept = 0;
      let failure: Error | undefined;
      const end = (why: Error) => {
        failure ??= why;
        child.kill('SIGKILL');
      };
      const abort = () => end(unavailable(`${command}: canceled`, { cause: signal?.reason }));
      signal?.addEventListener('abort', abort, { once: true });
      for (const name of ['stdout', 'stderr'] as const) {
        child[name]?.on('data', (chunk: Buffer) => {
          kept += chunk.length;
          if (kept > maxOutput) end(unavailable(`${command}: more than ${maxOutput} bytes of output`));
          else output[name].push(chunk);
        });
      }
      // A program that ends without reading its input is no error by itself; its exit code tells.
      child.stdin?.on('error', () => undefined);
      if (options.input !== undefined) child.stdin?.end(options.input);
      child.once('error', (error) => {
        signal?.removeEventListener('abort', abort);
        reject(unavailable(`cannot start ${command}: ${error.message}`, { cause: error }));
      });
      child.once('close', (code, killedBy) => {
        signal?.removeEventListener('abort', abort);
        if (failure !== undefined) return reject(failure);
        const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString('utf8');
        resolve({ code: exitCode(code, killedBy), stdout: text(output.stdout), stderr: text(output.stderr) });
      });
    });
  }

  spawn(command: string, args: readonly string[], options: NamespaceOptions): Child {
    return this.#start(command, args, options);
  }

  #start(command: string, args: readonly string[], options: NamespaceOptions): Child {
    const { netns } = options;
    if (netns === undefined) return startChild(command, args, options);
    if (this.#namespaces === undefined) throw internal(`${command}: no way into network namespace ${netns} was given`);
    // A child is made by the calling thread and stays in the namespace that the thread is in at that moment.
    return this.#namespaces.enter(netns, () => startChild(command, args, options));
  }
}

function picked({ env, cwd, netns }: { env?: NodeJS.ProcessEnv; cwd?: string; netns?: string }) {
  return {
    ...(env === undefined ? {} : { env }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(netns === undefined ? {} : { netns }),
  };
}

/** As shells count: 128 and the signal's number for a program that a signal ended. */
function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
