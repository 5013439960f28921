import { dirname } from 'node:path';
import { type Processes, setCloseOnExec } from '#host';

/**
 * The daemon's own mount namespace, made and pinned by `bin/berthd` (docs/decisions/005). The pin lives in the host's
 * table, so removing it goes back there through a descriptor that the launcher left open.
 */
export class MountNamespace {
  readonly #pin: string;
  readonly #hostFd: number;

  private constructor(pin: string, hostFd: number) {
    this.#pin = pin;
    this.#hostFd = hostFd;
  }

  /** What the launcher said in the environment; undefined when this process lives in the host's namespace. */
  static inherited(environment: NodeJS.ProcessEnv): MountNamespace | undefined {
    const pin = environment.BERTH_MOUNT_NAMESPACE;
    const fd = Number(environment.BERTH_HOST_NAMESPACE_FD);
    if (!pin || !Number.isInteger(fd) || fd < 3) return undefined;
    setCloseOnExec(fd);
    return new MountNamespace(pin, fd);
  }

  /** Descriptor of the host's mount namespace. */
  get hostFd(): number {
    return this.#hostFd;
  }

  /** Lets the namespace end with this process. Only for a stop that leaves nothing in it: later daemons start with a new one. */
  async unpin(processes: Processes): Promise<void> {
    const child = processes.spawn('nsenter', ['--mount=/proc/self/fd/3', 'umount', this.#pin, dirname(this.#pin)], {
      stdio: ['ignore', 'ignore', 'ignore', this.#hostFd],
    });
    await new Promise((resolve) => child.once('close', resolve));
  }
}
