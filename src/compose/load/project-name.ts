import { basename } from 'node:path';
import { invalid } from '#base';

/** Lower-cases, drops characters that a project name cannot have, and separators at the start. */
export function normaliseProjectName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '');
}

/** What a project's name can come from, in order of precedence. */
export interface NameOrigins {
  /** `--project-name`: must be valid as it is. */
  flag?: string | undefined;
  /** `COMPOSE_PROJECT_NAME`: must be valid as it is. */
  variable?: string | undefined;
  /** The top-level `name`, variables replaced. */
  file?: string | undefined;
  /** Its base name is the last resort. */
  directory: string;
}

/**
 * Decides the project's name; empty when what it comes from has no character that a name can have. Throws `invalid`
 * with docker compose's text when an explicit one is not valid.
 */
export function projectName({ flag, variable, file, directory }: NameOrigins): string {
  const explicit = flag || variable;
  if (explicit) {
    if (normaliseProjectName(explicit) === explicit) return explicit;
    throw invalid(
      `invalid project name ${JSON.stringify(explicit)}: must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number`,
    );
  }
  return normaliseProjectName(file ?? basename(directory));
}
