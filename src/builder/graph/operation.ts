import type { Image } from '#image';
import type { ImageRunConfig, Platform } from '#oci';
import type { Heredoc } from '../parser/syntax-tree.ts';

/** Where files come from: the build context, another node's file system, an image's, or nothing. */
export type FileOrigin =
  | ContextOrigin
  | { readonly kind: 'node'; readonly node: GraphNode }
  | { readonly kind: 'scratch' };

/** The build context, or a tree beside it by its name. */
export interface ContextOrigin {
  readonly kind: 'context';
  readonly name?: string;
}

/** One mount of a RUN, variables replaced. */
export interface RunMount {
  readonly type: 'bind' | 'cache' | 'tmpfs';
  /** Absolute. */
  readonly target: string;
  /** Path inside the origin. */
  readonly source: string;
  readonly origin: FileOrigin;
  readonly readonly: boolean;
  /** Names the cache. */
  readonly id: string;
  readonly sharing: 'shared' | 'private' | 'locked';
  /** Bytes. */
  readonly size: number | undefined;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Something of the client's that a RUN may use and that stays nowhere. */
interface LentMount {
  /** How the client knows it. */
  readonly id: string;
  /** Without it the step fails. It is not in the cache key: it does not change what the command sees. */
  readonly required: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A secret as a file, in the environment, or both. */
export interface SecretMount extends LentMount {
  /** Absolute; undefined: no file. */
  readonly target: string | undefined;
  /** Name of the variable that holds it. */
  readonly env: string | undefined;
}

/** A socket that leads to an ssh agent. */
export interface AgentMount extends LentMount {
  /** Absolute. */
  readonly target: string;
}

/** Runs a command in a container on the parent's file system. */
export interface RunOperation {
  readonly kind: 'run';
  readonly args: readonly string[];
  /** `K=V`, in order: the image's environment and the stage's arguments. */
  readonly env: readonly string[];
  /** Arguments that must not change the outcome (proxies): in the environment, not in the cache key. */
  readonly quietEnv: readonly string[];
  /** As USER has it; names are resolved in the file system it runs on. */
  readonly user: string;
  readonly workdir: string;
  readonly mounts: readonly RunMount[];
  readonly secrets: readonly SecretMount[];
  readonly agents: readonly AgentMount[];
  readonly network: 'default' | 'none' | 'host';
  readonly privileged: boolean;
  /** Files put at `/dev/pipes/NAME` for here-documents that bring their own interpreter. */
  readonly scripts: readonly { readonly name: string; readonly content: string }[];
}

/** Copies files onto the parent's file system. */
export interface CopyOperation {
  readonly kind: 'copy';
  readonly instruction: 'COPY' | 'ADD';
  readonly origin: FileOrigin;
  /** Paths or patterns inside the origin. */
  readonly sources: readonly string[];
  /** http and https addresses. */
  readonly urls: readonly string[];
  readonly heredocs: readonly Heredoc[];
  /** Absolute; a slash at the end says that it is a directory. */
  readonly destination: string;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly exclude: readonly string[];
  readonly link: boolean;
  readonly parents: boolean;
  /** Whether archives among the files are unpacked: local ones, fetched ones. */
  readonly unpackLocal: boolean;
  readonly unpackFetched: boolean;
  readonly checksum: string | undefined;
}

/** Everything that a node can do. */
export type Operation =
  | { readonly kind: 'image'; readonly image: Image }
  | { readonly kind: 'scratch' }
  | { readonly kind: 'config' }
  | { readonly kind: 'workdir'; readonly path: string; readonly user: string }
  | RunOperation
  | CopyOperation;

/** One operation, what it stands on, and what the image is like after it. */
export interface GraphNode {
  readonly operation: Operation;
  /** The node whose file system this one changes; undefined for `image` and `scratch`. */
  readonly parent: GraphNode | undefined;
  /** Step that it belongs to; several nodes may share one (triggers of a base image). 0: none, it is only read from. */
  readonly step: number;
  readonly opensStep: boolean;
  readonly closesStep: boolean;
  /** The instruction as the image's history shows it; `copy` puts its digest where `{}` stands. */
  readonly createdBy: string;
  readonly image: ImageState;
}

/** The image's config after a node, apart from layers and history. */
export interface ImageState {
  readonly config: ImageRunConfig;
  readonly author: string | undefined;
  readonly platform: Platform;
}
