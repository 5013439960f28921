import type { Heredoc, SyntaxNode } from '../parser/syntax-tree.ts';

/** `key=value` as written, quotes and variables untouched. */
export interface RawPair {
  readonly key: string;
  readonly value: string;
}

/** A command of RUN, CMD, ENTRYPOINT or HEALTHCHECK. The shell form has one word: the command line as written. */
export interface CommandLine {
  readonly form: 'shell' | 'exec';
  readonly words: readonly string[];
}

/** One `RUN --mount=...`, defaults filled in where they do not depend on the stage. Strings may hold variables. */
export interface MountFlag {
  readonly type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
  readonly target: string | undefined;
  readonly source: string | undefined;
  readonly from: string | undefined;
  readonly id: string | undefined;
  readonly readonly: boolean;
  readonly required: boolean;
  readonly sharing: 'shared' | 'private' | 'locked';
  /** Name of the environment variable a secret is given in. */
  readonly env: string | undefined;
  /** Bytes; of a tmpfs. */
  readonly size: number | undefined;
  /** Octal mode bits; like the owner a number as text, because it may hold variables. */
  readonly mode: string | undefined;
  readonly uid: string | undefined;
  readonly gid: string | undefined;
}

/** What COPY and ADD have in common. Paths and flag values may hold variables. */
export interface CopySpec {
  readonly sources: readonly string[];
  readonly destination: string;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly link: boolean;
  readonly exclude: readonly string[];
  /** Here-documents among the sources; they come after the other sources. */
  readonly heredocs: readonly Heredoc[];
}

/** What each instruction asks for, checked as far as it can be without variables, base image and context. */
export type InstructionBody =
  | {
      readonly kind: 'from';
      readonly image: string;
      readonly name: string | undefined;
      readonly platform: string | undefined;
    }
  | { readonly kind: 'arg'; readonly args: readonly { readonly key: string; readonly value: string | undefined }[] }
  | { readonly kind: 'env'; readonly pairs: readonly RawPair[] }
  | { readonly kind: 'label'; readonly pairs: readonly RawPair[] }
  | {
      readonly kind: 'run';
      readonly command: CommandLine;
      readonly heredocs: readonly Heredoc[];
      readonly mounts: readonly MountFlag[];
      readonly network: 'default' | 'none' | 'host';
      readonly security: 'sandbox' | 'insecure';
    }
  | ({ readonly kind: 'copy'; readonly from: string | undefined; readonly parents: boolean } & CopySpec)
  | ({
      readonly kind: 'add';
      readonly checksum: string | undefined;
      readonly keepGitDir: boolean;
      /** Undefined: local archives are unpacked, fetched ones are not. */
      readonly unpack: boolean | undefined;
    } & CopySpec)
  | { readonly kind: 'cmd'; readonly command: CommandLine }
  | { readonly kind: 'entrypoint'; readonly command: CommandLine }
  | { readonly kind: 'shell'; readonly words: readonly string[] }
  | { readonly kind: 'expose'; readonly ports: readonly string[] }
  | { readonly kind: 'volume'; readonly paths: readonly string[] }
  | { readonly kind: 'workdir'; readonly path: string }
  | { readonly kind: 'user'; readonly user: string }
  | { readonly kind: 'stopsignal'; readonly signal: string }
  | { readonly kind: 'maintainer'; readonly name: string }
  | {
      readonly kind: 'healthcheck';
      /** Undefined for `HEALTHCHECK NONE`. */
      readonly command: CommandLine | undefined;
      /** Nanoseconds; 0 inherits the default. */
      readonly interval: number;
      readonly timeout: number;
      readonly startPeriod: number;
      readonly startInterval: number;
      readonly retries: number;
    }
  | { readonly kind: 'onbuild'; readonly trigger: string };

/** A typed instruction and the text it came from. */
export type Instruction<Kind extends InstructionBody['kind'] = InstructionBody['kind']> = Extract<
  InstructionBody,
  { kind: Kind }
> & { readonly node: SyntaxNode };
