import type { ProjectRevision } from '#api-types';
import { invalid, isBerthError, notFound, notImplemented } from '#base';
import type { Client } from '#client';
import { configDocument, type Document, type Project } from '../model/index.ts';
import { imageName, type Plan } from '../plan/index.ts';
import type { ComposeContext, ProjectContext } from './context.ts';
import { type DocumentDifference, diffDocuments } from './diff-documents.ts';
import { type UpOptions, up } from './up.ts';

/** Revisions of a project, newest first. Throws `not-implemented` on an engine that keeps none. */
export async function projectHistory(context: ComposeContext): Promise<ProjectRevision[]> {
  return asked(context.client.projects.revisions(context.projectName));
}

async function asked<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!isBerthError(error, 'not-found') || /revision/.test(error.message)) throw error;
    throw notImplemented('this engine keeps no history of projects; Berth does', { cause: error });
  }
}

/**
 * A revision with its project: the one with this number, or without a number the one before the newest. Throws
 * `not-found` when there is none.
 */
async function findRevision(
  context: ComposeContext,
  wanted: string | undefined,
): Promise<{ revision: ProjectRevision; project: Project }> {
  if (wanted !== undefined && !/^\d{1,9}$/.test(wanted)) {
    throw invalid(`invalid revision ${JSON.stringify(wanted)}: give a number of berth compose history`);
  }
  const number = wanted === undefined ? (await projectHistory(context))[1]?.Number : Number(wanted);
  if (number === undefined) throw notFound(`project ${context.projectName} has no earlier revision`);
  const revision = await asked(context.client.projects.revision(context.projectName, number));
  return { revision, project: revision.Document as Project };
}

/** Names the images of a revision as they were named then. Throws `not-found`, before any change, for one that is gone. */
async function restoreImages(client: Client, revision: ProjectRevision, project: Project): Promise<void> {
  const services = Object.values(project.services).flatMap((service) => {
    const id = revision.Images[service.name];
    return id === undefined ? [] : [{ name: imageName(project, service), id, service: service.name }];
  });
  for (const { name, id, service } of services) {
    const there = await client.images.inspect(id).then(
      () => true,
      (error: unknown) => {
        if (isBerthError(error, 'not-found')) return false;
        throw error;
      },
    );
    if (there) continue;
    throw notFound(
      `cannot go back to revision ${revision.Number}: image ${name} of service "${service}" was ${id} then, which is gone; pull or load it`,
    );
  }
  for (const { name, id } of services) {
    const match = /^(.+?)(?::([\w][\w.-]{0,127}))?$/.exec(name);
    // A name with a digest is that image and no other.
    if (match === null || name.includes('@')) continue;
    await client.images.tag(id, { repo: match[1] ?? name, tag: match[2] ?? 'latest' });
  }
}

/** Brings a project back to a revision: its images get their names back, then it is an `up` of what was recorded. */
export async function rollBackProject(
  context: ComposeContext,
  wanted: string | undefined,
  options: UpOptions,
): Promise<{ plan: Plan; number: number }> {
  const { revision, project: recorded } = await findRevision(context, wanted);
  const present = context.project;
  // Secrets and values of variables are not in the history: those of now are used.
  const secrets = Object.fromEntries(
    Object.entries(recorded.secrets).map(([key, secret]) => [key, present?.secrets[key] ?? secret]),
  );
  const configs = Object.fromEntries(
    Object.entries(recorded.configs).map(([key, config]) => [
      key,
      config.environment ? (present?.configs[key] ?? config) : config,
    ]),
  );
  const project = { ...recorded, secrets, configs, environment: present?.environment ?? {} };
  if (!options.dryRun) await restoreImages(context.client, revision, project);
  const plan = await up({ ...context, project, projectName: context.projectName }, options);
  return { plan, number: revision.Number };
}

/** The document of a recorded or loaded project, for comparison. */
function documentOf(project: Project): Document {
  return JSON.parse(JSON.stringify(configDocument(project)));
}

/** What differs between a revision and the files; without a number the newest. Empty where nothing was recorded. */
export async function diffWithFiles(
  context: ProjectContext,
  wanted: string | undefined,
): Promise<{ number: number | undefined; differences: DocumentDifference[] }> {
  const newest = wanted === undefined ? (await projectHistory(context))[0]?.Number : wanted;
  if (newest === undefined) return { number: undefined, differences: [] };
  const { revision, project } = await findRevision(context, String(newest));
  return { number: revision.Number, differences: diffDocuments(documentOf(project), documentOf(context.project)) };
}
