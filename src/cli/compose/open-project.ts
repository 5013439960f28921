import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { errnoOf, isBerthError } from '#base';
import type { Client } from '#client';
import {
  applyLock,
  type ImageLock,
  type LoadOptions,
  loadProject,
  lockFilePath,
  type Project,
  type ProjectContext,
  parseLock,
  serviceHash,
} from '#compose';
import { ExitError } from '../command/index.ts';
import { connectClient } from '../host/index.ts';
import type { ComposeContext, ComposeInvocation } from './compose-command.ts';
import { type ClosingReporter, statusReporter } from './status-reporter.ts';

/** What a subcommand works with; `reporter` is closed by the caller. */
export interface Opened<C extends ComposeContext> {
  readonly context: C & { readonly reporter: ClosingReporter };
  readonly client: Client;
}

/** The loader's options that the flags before the subcommand give. */
export function loadOptions(invocation: ComposeInvocation, services: readonly string[] = []): LoadOptions {
  const { compose, terminal } = invocation;
  return {
    workingDir: terminal.cwd,
    environment: terminal.env,
    files: compose.files,
    envFiles: compose.envFiles,
    profiles: compose.profiles,
    projectDirectory: compose.projectDirectory || undefined,
    projectName: compose.projectName || undefined,
    services,
    allResources: compose.allResources,
    readInput: () => text(terminal.stdin),
  };
}

function warn(project: Project, reporter: ClosingReporter): void {
  for (const message of project.warnings) reporter.warn(message);
}

async function contextOf(
  invocation: ComposeInvocation,
  project: Project | undefined,
  name: string,
): Promise<ComposeContext & { readonly reporter: ClosingReporter }> {
  const client = await connectClient(invocation);
  return {
    client,
    project,
    projectName: name,
    reporter: statusReporter(invocation.terminal, invocation.compose),
    hash: serviceHash,
    parallel: invocation.compose.parallel,
  };
}

/** What a command does with the lock file: heed it where there is one, insist on it, or leave it aside. */
export type LockUse = 'heed' | 'insist' | 'ignore';

/** The project's lock file; undefined when there is none. Throws `invalid` for a broken one. */
export async function readProjectLock(project: Project): Promise<ImageLock | undefined> {
  const path = lockFilePath(project);
  try {
    return parseLock(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function locked(project: Project, use: LockUse): Promise<Project> {
  if (use === 'ignore') return project;
  const lock = await readProjectLock(project);
  if (lock === undefined && use === 'heed') return project;
  return applyLock(project, lock ?? {}, { strict: use === 'insist' });
}

/**
 * Loads the project's files and connects. With `services` only these, and what they depend on, are on. Images are those
 * of the lock file. Throws what the loader throws, `invalid` for a lock file that is broken or lacks what is insisted on.
 */
export async function openProject(
  invocation: ComposeInvocation,
  services: readonly string[] = [],
  { lock = 'heed' }: { lock?: LockUse } = {},
): Promise<Opened<ProjectContext>> {
  const project = await locked(await loadProject(loadOptions(invocation, services)), lock);
  const context = await contextOf(invocation, project, project.name);
  warn(project, context.reporter);
  return { context: { ...context, project }, client: context.client };
}

/**
 * Like {@link openProject}, for commands that can do without a file where the project's name is given: labels on the
 * containers say the rest. With `--project-name` and no `--file` no file is looked for. `services` must be in the file.
 */
export async function openNamed(
  invocation: ComposeInvocation,
  services: readonly string[] = [],
): Promise<Opened<ComposeContext>> {
  const { projectName, files } = invocation.compose;
  const name = projectName || invocation.terminal.env.COMPOSE_PROJECT_NAME;
  let project: Project | undefined;
  if (projectName === '' || files.length > 0) {
    try {
      // What is there is found by labels: an env_file that is missing does not keep it from being stopped.
      project = await loadProject({ ...loadOptions(invocation), resolveEnvironment: false });
    } catch (error) {
      const noFile = isBerthError(error, 'not-found') && files.length === 0;
      if (!noFile || !name) throw error;
    }
  }
  const context = await contextOf(invocation, project, project?.name ?? name ?? '');
  if (project !== undefined) {
    warn(project, context.reporter);
    for (const service of services) {
      if (project.services[service] === undefined && project.disabledServices[service] === undefined) {
        throw new ExitError(1, `no such service: ${service}\n`);
      }
    }
  }
  return { context, client: context.client };
}
