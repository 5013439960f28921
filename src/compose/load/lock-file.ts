import { join } from 'node:path';
import { invalid, messageOf } from '#base';
import type { Project } from '../model/index.ts';

/** Name of the lock file, in the project's directory. */
export const lockFileName = 'compose.lock';

/** Image name, as the Compose file has it, to the digest (`sha256:...`) that it is held at. */
export type ImageLock = Readonly<Record<string, string>>;

const version = 1;

/** Where the lock file of a project is. */
export function lockFilePath(project: Pick<Project, 'workingDir'>): string {
  return join(project.workingDir, lockFileName);
}

/** Reads the text of a lock file. Throws `invalid` that names `path` for anything else. */
export function parseLock(text: string, path: string): ImageLock {
  const refuse = (why: string) => invalid(`${path}: ${why}; make it anew with compose lock --update`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(messageOf(error));
  }
  if (typeof value !== 'object' || value === null || !('version' in value) || !('images' in value)) {
    throw refuse('it is no lock file');
  }
  if (value.version !== version) throw refuse(`version ${String(value.version)} is not known, only ${version}`);
  const entries = Object.entries(value.images ?? {});
  for (const [name, digest] of entries) {
    if (!/^sha256:[0-9a-f]{64}$/.test(String(digest))) throw refuse(`image ${name} has no digest`);
  }
  return Object.fromEntries(entries.map(([name, digest]) => [name, String(digest)]));
}

/** The text of a lock file: JSON, names sorted, so that a change is a change of one line. */
export function formatLock(lock: ImageLock): string {
  const images = Object.fromEntries(Object.entries(lock).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ version, images }, undefined, 2)}\n`;
}

/** Images of services that can be held: named, not built here, and not by digest already. Sorted, each once. */
export function lockableImages(project: Project): string[] {
  const services = [...Object.values(project.services), ...Object.values(project.disabledServices)];
  const names = services.flatMap(({ image, build }) =>
    image === undefined || build !== undefined || image.includes('@') ? [] : [image],
  );
  return [...new Set(names)].sort();
}

/**
 * The project with its images held at the digests of the lock: `app:1` becomes `app:1@sha256:...`. With `strict` every
 * image must be in the lock. Throws `invalid` for one that is not.
 */
export function applyLock(project: Project, lock: ImageLock, { strict }: { strict: boolean }): Project {
  const lockable = new Set(lockableImages(project));
  const services = Object.entries(project.services).map(([name, service]) => {
    const { image } = service;
    if (image === undefined || service.build !== undefined || !lockable.has(image)) return [name, service];
    const digest = lock[image];
    if (digest !== undefined) return [name, { ...service, image: `${image}@${digest}` }];
    if (strict) {
      throw invalid(`service "${name}": image ${image} is not in ${lockFilePath(project)}; run compose lock`);
    }
    return [name, service];
  });
  return { ...project, services: Object.fromEntries(services) };
}
