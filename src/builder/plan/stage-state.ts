import { posix } from 'node:path';
import type { ImageRunConfig } from '#oci';
import type { DockerfileFaults } from '../dockerfile-error.ts';
import type { CommandLine, Instruction } from '../instructions/instruction.ts';
import { expandIn } from './build-plan.ts';
import { expandBody, expandWord, expandWords } from './expand.ts';
import { exposedPorts } from './expose-ports.ts';
import { goDuration, goQuoted } from './go-format.ts';
import { proxyArgs } from './platform-args.ts';
import { isSignal } from './stop-signal.ts';

const defaultShell: readonly string[] = ['/bin/sh', '-c'];

/** Arguments that a stage may declare, by what they came from. */
export interface ArgSources {
  /** `--build-arg`; null: named without a value. */
  readonly given: Readonly<Record<string, string | null>>;
  /** Declared before the first FROM. */
  readonly global: ReadonlyMap<string, string | undefined>;
  readonly automatic: ReadonlyMap<string, string>;
}

/** What a stage starts with. */
export interface StageStart {
  readonly config: ImageRunConfig;
  readonly author: string | undefined;
  readonly args: ArgSources;
  readonly escapeChar: string;
  readonly faults: DockerfileFaults;
}

/** The instructions that change nothing but the config. */
export type MetadataInstruction = Exclude<Instruction, { kind: 'from' | 'run' | 'copy' | 'add' | 'workdir' }>;

/** The image config of one stage as its instructions change it one after the other, and its variables. */
export class StageState {
  config: ImageRunConfig;
  author: string | undefined;
  readonly #sources: ArgSources;
  readonly #escapeChar: string;
  readonly #faults: DockerfileFaults;
  readonly #args = new Map<string, string | undefined>();
  #commandSet = false;

  constructor(start: StageStart) {
    this.config = structuredClone(start.config);
    this.author = start.author;
    this.#sources = start.args;
    this.#escapeChar = start.escapeChar;
    this.#faults = start.faults;
  }

  get shell(): readonly string[] {
    return this.config.Shell ?? defaultShell;
  }

  get workdir(): string {
    return this.config.WorkingDir || '/';
  }

  get user(): string {
    return this.config.User ?? '';
  }

  /** Declared arguments that have a value and that no ENV hides, sorted: they are in the environment of RUN. */
  runArgs(): [string, string][] {
    const env = new Set((this.config.Env ?? []).map((entry) => entry.split('=', 1)[0]));
    return [...this.#args]
      .filter((entry): entry is [string, string] => entry[1] !== undefined && !env.has(entry[0]))
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Predefined arguments given for this build: in the environment of RUN without being declared. */
  proxyEnv(): string[] {
    return Object.entries(this.#sources.given)
      .filter(([name, value]) => proxyArgs.has(name) && value !== null && !this.#args.has(name))
      .map(([name, value]) => `${name}=${value}`);
  }

  /** Replaces variables in `text`. Throws `invalid` with the instruction's place. */
  expand(text: string, instruction: Instruction): string {
    const expand = () => expandWord(text, (name) => this.#lookup(name), this.#escapeChar);
    return expandIn(instruction, this.#faults, expand, text);
  }

  /** Replaces variables inside a here-document: quotes mean nothing there. */
  expandBody(text: string, instruction: Instruction): string {
    const expand = () => expandBody(text, (name) => this.#lookup(name), this.#escapeChar);
    return expandIn(instruction, this.#faults, expand, text);
  }

  /** The full words of a command: the shell form gets the shell in front. */
  commandWords(command: CommandLine): string[] {
    return command.form === 'shell' ? [...this.shell, ...command.words] : [...command.words];
  }

  /** An absolute path, relative ones taken from the working directory. A slash at the end stays. */
  absolute(path: string): string {
    const full = posix.resolve('/', this.workdir, path);
    return /(^|\/)\.?$/.test(path) && full !== '/' ? `${full}/` : full;
  }

  /** Sets the working directory and returns it. */
  setWorkdir(instruction: Instruction<'workdir'>): string {
    const path = this.expand(instruction.path, instruction);
    if (path === '') throw this.fault('WORKDIR cannot normalize nothing', instruction);
    this.config = { ...this.config, WorkingDir: posix.resolve('/', this.workdir, path) };
    return this.workdir;
  }

  /** Applies an instruction that changes only the config; returns the words that its history entry shows. */
  apply(instruction: MetadataInstruction): string {
    switch (instruction.kind) {
      case 'arg':
        return this.#applyArg(instruction);
      case 'env':
        return this.#applyEnv(instruction);
      case 'label':
        return this.#applyLabel(instruction);
      case 'cmd':
        this.config = { ...this.config, Cmd: this.commandWords(instruction.command) };
        this.#commandSet = true;
        return `CMD ${goQuoted(this.config.Cmd ?? [])}`;
      case 'entrypoint':
        this.config = { ...this.config, Entrypoint: this.commandWords(instruction.command) };
        // A command inherited from the base image was meant for the entrypoint that is replaced here.
        if (!this.#commandSet) this.config = { ...this.config, Cmd: null };
        return `ENTRYPOINT ${goQuoted(this.config.Entrypoint ?? [])}`;
      case 'shell':
        this.config = { ...this.config, Shell: [...instruction.words] };
        return `SHELL [${instruction.words.join(' ')}]`;
      case 'expose':
        return this.#applyExpose(instruction);
      case 'volume':
        return this.#applyVolume(instruction);
      case 'user':
        this.config = { ...this.config, User: this.expand(instruction.user, instruction) };
        return `USER ${this.user}`;
      case 'stopsignal':
        return this.#applyStopSignal(instruction);
      case 'maintainer':
        this.author = instruction.name;
        return `MAINTAINER ${instruction.name}`;
      case 'healthcheck':
        return this.#applyHealthcheck(instruction);
      case 'onbuild':
        this.config = { ...this.config, OnBuild: [...(this.config.OnBuild ?? []), instruction.trigger] };
        return `ONBUILD ${instruction.trigger}`;
    }
  }

  /** Adds labels as they are (`--label`). */
  addLabels(labels: Readonly<Record<string, string>>): void {
    this.config = { ...this.config, Labels: { ...this.config.Labels, ...labels } };
  }

  /** The error of an instruction that cannot be carried out, with its place. */
  fault(text: string, instruction: Instruction): Error {
    return this.#faults.evaluation(text, instruction.node.line, instruction.node.keyword);
  }

  #lookup(name: string): string | undefined {
    const entry = (this.config.Env ?? []).find((candidate) => candidate.startsWith(`${name}=`));
    return entry === undefined ? this.#args.get(name) : entry.slice(name.length + 1);
  }

  #applyArg(instruction: Instruction<'arg'>): string {
    const shown = instruction.args.map(({ key: rawKey, value }) => {
      const key = this.expand(rawKey, instruction);
      const standard = value === undefined ? undefined : this.expand(value, instruction);
      const given = Object.hasOwn(this.#sources.given, key) ? this.#sources.given[key] : undefined;
      const inherited = this.#sources.global.get(key) ?? this.#sources.automatic.get(key);
      this.#args.set(key, given ?? standard ?? inherited);
      return standard === undefined ? key : `${key}=${standard}`;
    });
    return `ARG ${shown.join(' ')}`;
  }

  #applyEnv(instruction: Instruction<'env'>): string {
    const pairs = instruction.pairs.map(({ key, value }) => ({
      key: this.expand(key, instruction),
      value: this.expand(value, instruction),
    }));
    const env = [...(this.config.Env ?? [])];
    for (const { key, value } of pairs) {
      const at = env.findIndex((entry) => entry.startsWith(`${key}=`));
      if (at < 0) env.push(`${key}=${value}`);
      else env[at] = `${key}=${value}`;
    }
    this.config = { ...this.config, Env: env };
    return `ENV ${pairs.map(({ key, value }) => `${key}=${value}`).join(' ')}`;
  }

  #applyLabel(instruction: Instruction<'label'>): string {
    const entries = instruction.pairs.map(({ key, value }): [string, string] => [
      this.expand(key, instruction),
      this.expand(value, instruction),
    ]);
    this.addLabels(Object.fromEntries(entries));
    return `LABEL ${entries.map(([key, value]) => `${key}=${value}`).join(' ')}`;
  }

  #applyExpose(instruction: Instruction<'expose'>): string {
    const words = instruction.ports.flatMap((port) =>
      expandIn(
        instruction,
        this.#faults,
        () => expandWords(port, (name) => this.#lookup(name), this.#escapeChar),
        port,
      ),
    );
    try {
      const added = Object.fromEntries(exposedPorts(words).map((port) => [port, {}]));
      this.config = { ...this.config, ExposedPorts: { ...this.config.ExposedPorts, ...added } };
    } catch (error) {
      throw this.fault(error instanceof Error ? error.message : String(error), instruction);
    }
    return `EXPOSE ${words.sort().join(' ')}`;
  }

  #applyVolume(instruction: Instruction<'volume'>): string {
    const paths = instruction.paths.map((path) => this.expand(path, instruction).trim());
    if (paths.includes('')) throw this.fault('VOLUME specified can not be an empty string', instruction);
    const added = Object.fromEntries(paths.map((path) => [path, {}]));
    this.config = { ...this.config, Volumes: { ...this.config.Volumes, ...added } };
    return `VOLUME [${paths.join(' ')}]`;
  }

  #applyStopSignal(instruction: Instruction<'stopsignal'>): string {
    const signal = this.expand(instruction.signal, instruction);
    if (!isSignal(signal)) throw this.fault(`invalid signal: ${signal}`, instruction);
    this.config = { ...this.config, StopSignal: signal };
    return `STOPSIGNAL ${signal}`;
  }

  #applyHealthcheck(instruction: Instruction<'healthcheck'>): string {
    const { command, interval, timeout, startPeriod, startInterval, retries } = instruction;
    const test = command === undefined ? ['NONE'] : [command.form === 'shell' ? 'CMD-SHELL' : 'CMD', ...command.words];
    this.config = {
      ...this.config,
      Healthcheck: {
        Test: test,
        ...(interval > 0 && { Interval: interval }),
        ...(timeout > 0 && { Timeout: timeout }),
        ...(startPeriod > 0 && { StartPeriod: startPeriod }),
        ...(startInterval > 0 && { StartInterval: startInterval }),
        ...(retries > 0 && { Retries: retries }),
      },
    };
    const times = [interval, timeout, startPeriod, startInterval].map(goDuration).join(' ');
    return `HEALTHCHECK &{[${test.join(' ')}] ${times} ${retries}}`;
  }
}
