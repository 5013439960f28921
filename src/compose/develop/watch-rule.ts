import { readFileSync } from 'node:fs';
import { basename, join, posix, relative } from 'node:path';
import { errnoOf, IgnoreMatcher, parseDockerignore, parseIgnoreRule } from '#base';
import type { Service, WatchTrigger } from '../model/index.ts';
import { isWithin } from './tree-watcher.ts';

/** A file on this machine and where it belongs in a container. */
export interface PathMapping {
  readonly hostPath: string;
  /** Absolute. */
  readonly containerPath: string;
}

/** Files that editors write beside the one that is edited. */
const editorFiles = /^(?:4913|\.#.*|#.*#|.*~|\..*\.sw[a-z]|.*\.kate-swp|.*___jb_(?:tmp|old)___|\.nfs[0-9a-f]+)$/;

function matcherOf(patterns: readonly string[]): IgnoreMatcher {
  return new IgnoreMatcher(patterns.flatMap((pattern) => parseIgnoreRule(pattern) ?? []));
}

function readDockerignore(service: Service): { root: string; matcher: IgnoreMatcher } | undefined {
  const { build } = service;
  if (build?.context?.startsWith('/') !== true) return undefined;
  const own = build.dockerfile === undefined ? [] : [`${join(build.context, build.dockerfile)}.dockerignore`];
  for (const path of [...own, join(build.context, '.dockerignore')]) {
    try {
      return { root: build.context, matcher: new IgnoreMatcher(parseDockerignore(readFileSync(path, 'utf8'))) };
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
    }
  }
  return undefined;
}

/** One entry of a service's `develop.watch`: which files it is about, and where they go. */
export class WatchRule {
  readonly service: Service;
  readonly trigger: WatchTrigger;
  readonly #include: IgnoreMatcher | undefined;
  readonly #ignore: IgnoreMatcher;
  readonly #dockerignore: ReturnType<typeof readDockerignore>;

  /** Reads the `.dockerignore` of the service's build. Throws `invalid` for a malformed pattern. */
  constructor(service: Service, trigger: WatchTrigger) {
    this.service = service;
    this.trigger = trigger;
    this.#include = trigger.include?.length ? matcherOf(trigger.include) : undefined;
    this.#ignore = matcherOf(trigger.ignore ?? []);
    this.#dockerignore = readDockerignore(service);
  }

  /** Whether the action copies files into the container. */
  get syncs(): boolean {
    return this.trigger.action.startsWith('sync');
  }

  /** What a change of `hostPath` (absolute) means here: undefined when nothing. */
  match(hostPath: string): PathMapping | undefined {
    const root = this.trigger.path;
    if (!isWithin(root, hostPath) || this.#ignores(hostPath)) return undefined;
    const inside = relative(root, hostPath);
    if (this.#include !== undefined && !this.#include.ignores(inside || basename(root))) return undefined;
    return { hostPath, containerPath: posix.join(this.trigger.target ?? '/', inside) };
  }

  /** True when nothing at or below `directory` can be of interest to this rule. */
  skips(directory: string): boolean {
    const { path } = this.trigger;
    if (!isWithin(path, directory)) return !isWithin(directory, path);
    const keeps = this.#ignore.hasKeeps || this.#dockerignore?.matcher.hasKeeps === true;
    return !keeps && directory !== path && this.#ignores(directory);
  }

  #ignores(hostPath: string): boolean {
    const { path } = this.trigger;
    const inside = relative(path, hostPath) || basename(path);
    if (inside.split('/').includes('.git') || editorFiles.test(basename(hostPath))) return true;
    if (this.#ignore.ignores(inside)) return true;
    const docker = this.#dockerignore;
    return docker !== undefined && isWithin(docker.root, hostPath) && hostPath !== docker.root
      ? docker.matcher.ignores(relative(docker.root, hostPath))
      : false;
  }
}
