import { EventEmitter } from 'node:events';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import koffi from 'koffi';
import { errnoOf } from '#base';
import type { Child, ChildEvents, SpawnOptions } from '../host.ts';
import { check } from './libc.ts';
import { openPidfd } from './process-watch.ts';
import { errnoName } from './socket-calls.ts';

const library = koffi.load('libc.so.6');
const spawnp = library.func(
  'int posix_spawnp(_Out_ int *pid, str file, const void *actions, const void *attributes, const char **argv, const char **envp)',
);
const actionsInit = library.func('int posix_spawn_file_actions_init(void *actions)');
const actionsDestroy = library.func('int posix_spawn_file_actions_destroy(void *actions)');
const addDup = library.func('int posix_spawn_file_actions_adddup2(void *actions, int fd, int newfd)');
const addOpen = library.func(
  'int posix_spawn_file_actions_addopen(void *actions, int fd, str path, int flags, uint mode)',
);
const addChdir = library.func('int posix_spawn_file_actions_addchdir_np(void *actions, str path)');
const attributesInit = library.func('int posix_spawnattr_init(void *attributes)');
const setFlags = library.func('int posix_spawnattr_setflags(void *attributes, short flags)');
const setDefaults = library.func('int posix_spawnattr_setsigdefault(void *attributes, const void *signals)');
const setMask = library.func('int posix_spawnattr_setsigmask(void *attributes, const void *signals)');
const socketpair = library.func('int socketpair(int domain, int type, int protocol, void *fds)');
const pipe2 = library.func('int pipe2(void *fds, int flags)');
const duplicate = library.func('int fcntl(int fd, int command, int least)');
const waitpid = library.func('int waitpid(int pid, void *status, int options)');

const O_CLOEXEC = 0o2000000;
const streamCloexec = 1 | O_CLOEXEC;
const F_DUPFD_CLOEXEC = 1030;
const O_RDWR = 2;
// spawn.h
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;
/** Larger than posix_spawnattr_t, posix_spawn_file_actions_t and sigset_t of any 64-bit glibc (336, 80 and 128 bytes). */
const structureSize = 512;

/**
 * Starts a program with posix_spawn(3): the child borrows this process's memory until it runs the program, so a start
 * costs 0.1 ms whatever the size of the heap. fork(2), which node:child_process uses, copies the page tables first and
 * lets every page fault once more afterwards: 3-10 ms a start in a daemon, all of it on the event loop.
 *
 * The signals of the child are at their defaults and unblocked. It is in the network namespace of the calling thread.
 * A program that cannot be started shows as an `error` event, as with node:child_process.
 */
export function startChild(command: string, args: readonly string[], options: SpawnOptions): Child {
  const descriptors = new ChildDescriptors(options.stdio);
  const actions = Buffer.alloc(structureSize);
  actionsInit(actions);
  try {
    descriptors.describe(actions);
    if (options.cwd !== undefined) addChdir(actions, options.cwd);
    const env = Object.entries(options.env ?? process.env).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${value}`],
    );
    const pid = [0];
    const errno = spawnp(pid, command, actions, attributes(options.detached), [command, ...args, null], [...env, null]);
    const start = errno === 0 ? Number(pid[0]) : failedStart(command, Number(errno));
    // Relays start beside the program, not before it.
    return new RunningChild(start, descriptors.takeSockets());
  } finally {
    actionsDestroy(actions);
    descriptors.close();
  }
}

function failedStart(command: string, errno: number): Error {
  const code = errnoName(errno);
  return Object.assign(new Error(`spawn ${command} ${code}`), { code, syscall: `spawn ${command}` });
}

/** posix_spawnattr_t, made at first use: one for children in this session, one for leaders of their own. */
const made = new Map<boolean, Buffer>();

function attributes(detached = false): Buffer {
  const known = made.get(detached);
  if (known) return known;
  const fresh = Buffer.alloc(structureSize);
  attributesInit(fresh);
  setFlags(fresh, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | (detached ? POSIX_SPAWN_SETSID : 0));
  setDefaults(fresh, Buffer.alloc(structureSize, 0xff));
  setMask(fresh, Buffer.alloc(structureSize));
  made.set(detached, fresh);
  return fresh;
}

/** The descriptors of a child that is being started, and our ends of its pipes. */
class ChildDescriptors {
  /** What the child gets, by number; undefined is /dev/null. */
  readonly #sources: (number | undefined)[] = [];
  readonly #ours: (number | undefined)[] = [];
  readonly #relayed = new Set<number>();
  readonly #toClose: number[] = [];

  constructor(stdio: SpawnOptions['stdio']) {
    try {
      for (const [number, entry] of stdio.entries()) {
        const [ours, source] = this.#open(number, entry);
        this.#ours.push(ours);
        // A source among the numbers to be filled could be covered before its turn.
        this.#sources.push(source !== undefined && source < stdio.length ? this.#move(source, stdio.length) : source);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  describe(actions: Buffer): void {
    for (const [number, source] of this.#sources.entries()) {
      if (source === undefined) addOpen(actions, number, '/dev/null', O_RDWR, 0);
      else addDup(actions, source, number);
    }
  }

  /** Our ends as streams, which own them from now on. */
  takeSockets(): (Socket | null)[] {
    return this.#ours.splice(0).map((fd, number) => {
      if (fd === undefined) return null;
      if (this.#relayed.has(number)) return startRelay(fd);
      return new Socket({ fd, readable: number > 0, writable: number !== 1 && number !== 2 });
    });
  }

  /** Closes what only the child needs, and our ends unless they were taken. */
  close(): void {
    for (const fd of [...this.#toClose.splice(0), ...this.#ours.splice(0)]) if (fd !== undefined) closeSync(fd);
  }

  /** Our end and the child's. */
  #open(number: number, entry: SpawnOptions['stdio'][number]): [number | undefined, number | undefined] {
    if (entry === 'relay') this.#relayed.add(number);
    if (entry === 'pipe' || entry === 'relay') return this.#pair(number);
    return [undefined, entry === 'ignore' ? undefined : entry];
  }

  /**
   * The standard streams are true pipes: programs open /dev/stdin and /dev/stdout, which the kernel refuses for sockets,
   * and those that splice from a socket into a pipe keep what they have passed on from its reader.
   */
  #pair(number: number): [number, number] {
    const fds = new Int32Array(2);
    if (number <= 2) check('pipe2', () => Number(pipe2(fds, O_CLOEXEC)));
    else check('socketpair', () => Number(socketpair(1, streamCloexec, 0, fds)));
    const [read = -1, write = -1] = fds;
    const [ours, theirs] = number === 0 ? [write, read] : [read, write];
    this.#toClose.push(theirs);
    return [ours, theirs];
  }

  #move(fd: number, least: number): number {
    const moved = check(`duplicate descriptor ${fd}`, () => Number(duplicate(fd, F_DUPFD_CLOEXEC, least)));
    this.#toClose.push(moved);
    return moved;
  }
}

/**
 * Starts a relay that reads the pipe `fd`, which it takes over; what it reads comes on the stream. Where none can be
 * started (no descriptors left) there is no stream, and the broken pipe ends who writes: its program runs already.
 */
function startRelay(fd: number): Socket | null {
  try {
    const relay = startChild('tee', ['-p', '/dev/null'], { stdio: [fd, 'pipe', 'ignore'] });
    relay.on('error', () => {}); // the stream ends
    return relay.stdout;
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
}

class RunningChild extends EventEmitter<ChildEvents> implements Child {
  readonly pid: number | undefined;
  readonly stdio: readonly (Socket | null)[];
  #running = false;
  /** Events to come before `close`: the end itself and that of each stream that can be read. */
  #open = 1;
  #result: [number | null, NodeJS.Signals | null] = [null, null];

  constructor(start: number | Error, stdio: readonly (Socket | null)[]) {
    super();
    this.stdio = stdio;
    for (const socket of stdio.slice(1)) {
      if (!socket) continue;
      this.#open += 1;
      socket.once('close', () => this.#closed());
    }
    if (typeof start !== 'number') {
      process.nextTick(() => {
        this.emit('error', start);
        for (const socket of stdio) socket?.destroy();
        this.#closed();
      });
      return;
    }
    this.pid = start;
    this.#running = true;
    const watch = openPidfd(start);
    watch.once('close', () => this.#reap(start));
    watch.resume();
  }

  get stdin(): Socket | null {
    return this.stdio[0] ?? null;
  }

  get stdout(): Socket | null {
    return this.stdio[1] ?? null;
  }

  get stderr(): Socket | null {
    return this.stdio[2] ?? null;
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): boolean {
    if (!this.#running || this.pid === undefined) return false;
    try {
      return process.kill(this.pid, signal);
    } catch (error) {
      if (errnoOf(error) === 'ESRCH') return false;
      throw error;
    }
  }

  #reap(pid: number): void {
    const status = Buffer.alloc(4);
    const reaped = Number(waitpid(pid, status, 0));
    this.#running = false;
    if (reaped === pid) this.#result = decodeStatus(status.readInt32LE());
    this.stdin?.destroy();
    this.emit('exit', ...this.#result);
    // What nobody reads must not keep `close` away.
    for (const socket of this.stdio.slice(1)) if (socket?.readableFlowing === null) socket.resume();
    this.#closed();
  }

  #closed(): void {
    this.#open -= 1;
    if (this.#open === 0) this.emit('close', ...this.#result);
  }
}

/** waitpid(2)'s status word. */
function decodeStatus(status: number): [number | null, NodeJS.Signals | null] {
  const number = status & 0x7f;
  if (number === 0) return [(status >> 8) & 0xff, null];
  const entry = Object.entries(constants.signals).find(([, value]) => value === number);
  return [null, (entry?.[0] as NodeJS.Signals | undefined) ?? 'SIGKILL'];
}
