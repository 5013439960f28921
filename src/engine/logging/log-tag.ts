import { invalid, shortId } from '#base';
import type { LiveContainer } from '../containers/live-container.ts';

/** What a `tag` template may name (docs.docker.com, "Customize log driver output"). */
const fields: Readonly<Record<string, (container: LiveContainer) => string>> = {
  ID: ({ id }) => shortId(id),
  FullID: ({ id }) => id,
  Name: ({ name }) => name,
  FullName: ({ name }) => `/${name}`,
  ImageID: ({ settings }) => shortId(settings.imageId.replace(/^sha256:/, '')),
  ImageFullID: ({ settings }) => settings.imageId,
  ImageName: ({ settings }) => settings.image,
  ImageFullName: ({ settings }) => settings.image,
  DaemonName: () => 'docker',
};

const placeholder = /\{\{\s*\.?([^{}]*?)\s*\}\}/g;

/** Throws `invalid` where the template names what there is not. */
export function checkTag(template: string): void {
  for (const [text, name = ''] of template.matchAll(placeholder)) {
    if (fields[name] !== undefined) continue;
    throw invalid(`failed to parse log tag: ${text} is none of ${Object.keys(fields).join(', ')}`);
  }
}

/** The tag of a container's messages; by default its short id. */
export function logTag(container: LiveContainer): string {
  const template = container.settings.host.log.options.tag || '{{.ID}}';
  return template.replaceAll(placeholder, (_all, name: string) => fields[name]?.(container) ?? '');
}
