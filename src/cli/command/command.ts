import type { Readable, Writable } from 'node:stream';
import type { FlagSpec, FlagValues } from '../flags/index.ts';

/** The process around a command, so that tests can give another. */
export interface Terminal {
  readonly stdin: Readable & { isTTY?: boolean; setRawMode?(on: boolean): unknown };
  readonly stdout: Writable & { isTTY?: boolean; columns?: number; rows?: number };
  readonly stderr: Writable & { isTTY?: boolean; columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** The flags before the command's name (`berth -H ... ps`). */
export interface GlobalFlags {
  /** Directory of config.json and contexts. */
  readonly configDir: string;
  readonly host?: string;
  readonly context?: string;
  readonly tls: boolean;
  readonly tlsVerify: boolean;
  readonly tlsCaCert?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly debug: boolean;
}

/** What a command is called with. */
export interface Invocation {
  readonly flags: FlagValues;
  /** The words that are no flags. */
  readonly args: string[];
  readonly terminal: Terminal;
  readonly globals: GlobalFlags;
}

/** How many arguments a command takes. */
export interface ArgumentCount {
  readonly min: number;
  readonly max: number;
}

/** One command: its words, its flags, and what it does. A file under `commands/` exports one as `command`. */
export interface Command {
  /** What follows the command's name in the usage line, such as `[OPTIONS] CONTAINER`. */
  readonly usage: string;
  readonly short: string;
  readonly flags?: readonly FlagSpec[];
  /** What the help page says after the options. */
  readonly notes?: string;
  readonly args: ArgumentCount;
  /** False where all words after the first argument belong to the container. */
  readonly interspersed?: boolean;
  /** Exit code for flags that cannot be read; 125 when not given. */
  readonly flagErrorCode?: number;
  /** Checks of flag words while they are read, by name of the flag. */
  readonly checks?: Readonly<Record<string, (text: string) => unknown>>;
  /** Does it; the number returned is the exit code (0 when none). Errors thrown are printed by the caller. */
  run(invocation: Invocation): Promise<number | undefined | void>;
}

/** Argument counts by name. */
export const noArgs: ArgumentCount = { min: 0, max: 0 };
/** Exactly `count` arguments. */
export const exactly = (count: number): ArgumentCount => ({ min: count, max: count });
/** `min` or more arguments. */
export const atLeast = (min: number): ArgumentCount => ({ min, max: Number.POSITIVE_INFINITY });
/** `max` or fewer arguments. */
export const atMost = (max: number): ArgumentCount => ({ min: 0, max });
/** Between `min` and `max` arguments. */
export const between = (min: number, max: number): ArgumentCount => ({ min, max });
