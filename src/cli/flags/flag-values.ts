import type { FlagSpec } from './flag-spec.ts';

/** A value as it was read: switches are booleans, `duration` is nanoseconds, `bytes` is bytes. */
export type FlagValue = string | number | boolean | string[];

/** The flags that a command line set. Reading a flag that the command does not have is a bug and throws. */
export class FlagValues {
  readonly #specs: ReadonlyMap<string, FlagSpec>;
  readonly #values = new Map<string, FlagValue>();

  constructor(specs: readonly FlagSpec[]) {
    this.#specs = new Map(specs.map((spec) => [spec.name, spec]));
  }

  /** Sets a scalar, or appends to a list. */
  set(name: string, value: FlagValue): void {
    const before = this.#values.get(name);
    this.#values.set(name, Array.isArray(value) && Array.isArray(before) ? [...before, ...value] : value);
  }

  /** True when the flag stood on the command line, whatever its value. */
  changed(name: string): boolean {
    this.#check(name);
    return this.#values.has(name);
  }

  bool(name: string): boolean {
    return this.#read(name) === true;
  }

  /** The text, or `fallback` (empty by default) when the flag is not set. */
  string(name: string, fallback = ''): string {
    const value = this.#read(name);
    return typeof value === 'string' ? value : fallback;
  }

  /** The number, or `fallback` (0 by default) when the flag is not set. */
  number(name: string, fallback = 0): number {
    const value = this.#read(name);
    return typeof value === 'number' ? value : fallback;
  }

  /** All values of a repeated flag, in order. */
  list(name: string): string[] {
    const value = this.#read(name);
    return Array.isArray(value) ? value : [];
  }

  #read(name: string): FlagValue | undefined {
    this.#check(name);
    return this.#values.get(name);
  }

  #check(name: string): void {
    if (!this.#specs.has(name)) throw new Error(`the command has no flag --${name}`);
  }
}
