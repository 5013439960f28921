import { text } from 'node:stream/consumers';
import { isBerthError } from '#base';
import type { Client } from '#client';
import { type LoadOptions, loadProject, type Project, type ProjectContext, serviceHash } from '#compose';
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

/**
 * Loads the project's files and connects. With `services` only these, and what they depend on, are on.
 * Throws what the loader throws.
 */
export async function openProject(
  invocation: ComposeInvocation,
  services: readonly string[] = [],
): Promise<Opened<ProjectContext>> {
  const project = await loadProject(loadOptions(invocation, services));
  const context = await contextOf(invocation, project, project.name);
  warn(project, context.reporter);
  return { context: { ...context, project }, client: context.client };
}

/**
 * Like {@link openProject}, for commands that can do without a file where the project's name is given: labels on the
 * containers say the rest.
 */
export async function openNamed(
  invocation: ComposeInvocation,
  services: readonly string[] = [],
): Promise<Opened<ComposeContext>> {
  const { projectName, files } = invocation.compose;
  const name = projectName || invocation.terminal.env.COMPOSE_PROJECT_NAME;
  let project: Project | undefined;
  try {
    project = await loadProject(loadOptions(invocation));
  } catch (error) {
    const noFile = isBerthError(error, 'not-found') && files.length === 0;
    if (!noFile || !name) throw error;
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
