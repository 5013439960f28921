import type { Project } from './project.ts';

/** Where a key is in the project's files, to be put behind a message: ` (services.web.image, FILE:LINE)`; empty when unknown. */
export function placeOf(project: Pick<Project, 'locate'> | undefined, path: readonly string[]): string {
  const place = project?.locate?.(path);
  return place === undefined ? '' : ` (${path.join('.')}, ${place})`;
}
