import { BerthError, invalid } from '#base';
import { imageName, type Project, placeOf, type Service } from '#compose';
import { findExtras } from '../build/build-extras.ts';
import { readContextFlag } from '../build/context-flag.ts';
import type { SecretSource } from '../build/secret-flag.ts';
import type { BuildExtras } from '../build/session-build.ts';
import { readSshFlag } from '../build/ssh-flag.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Around the search of what a service's build names. */
interface SearchOptions {
  /** Of this process; where a project has none of its own, agents are found here. */
  readonly env: Environment;
  readonly warn: (message: string) => void;
  /** `--ssh`, empty when not given: it stands beside the service's own. */
  readonly ssh: string;
}

/** Runs `work`; its errors get the service, the key and the place in the file. */
async function blaming<T>(
  options: { readonly project: Project; readonly service: Service; readonly key: readonly string[] },
  work: () => Promise<T> | T,
): Promise<T> {
  const { project, service, key } = options;
  try {
    return await work();
  } catch (error) {
    if (error instanceof BerthError) {
      const place = placeOf(project, ['services', service.name, 'build', ...key]);
      error.message = `service "${service.name}": build.${key[0]}: ${error.message}${place}`;
    }
    throw error;
  }
}

function secretSource(
  reference: NonNullable<NonNullable<Service['build']>['secrets']>[number],
  options: { readonly project: Project; readonly service: Service; readonly warn: SearchOptions['warn'] },
): SecretSource {
  const { project, service, warn } = options;
  const { source = '', target, uid, gid, mode } = reference;
  const id = target || source;
  if (uid || gid || mode) {
    warn('secrets `uid`, `gid` and `mode` are not supported by BuildKit, they will be ignored');
  }
  const secret = project.secrets[source];
  if (secret?.file) return { id, kind: 'file', path: secret.file };
  if (!secret?.environment) {
    throw invalid(`build.secrets only supports environment or file-based secrets: ${JSON.stringify(source)}`);
  }
  if (secret.content === undefined) {
    warn(
      `service ${JSON.stringify(service.name)}: variable ${JSON.stringify(secret.environment)} of the build secret ${JSON.stringify(source)} is not set: the secret is empty`,
    );
  }
  return { id, kind: 'value', value: secret.content ?? '' };
}

/** The image that another service's build makes, as a named context. */
function serviceContext(project: Project, value: string): string {
  if (!value.startsWith('service:')) return value;
  const name = value.slice('service:'.length);
  const other = project.services[name] ?? project.disabledServices[name];
  if (other === undefined) throw invalid(`unknown service ${name}`);
  return `docker-image://${imageName(project, other)}`;
}

/**
 * What the build of a service names beside its context, looked at; undefined where it names nothing. Throws errors that
 * name the service, the key and its place in the file.
 */
export async function serviceExtras(
  service: Service,
  project: Project,
  options: SearchOptions,
): Promise<BuildExtras | undefined> {
  const { build } = service;
  const keys = build?.ssh ?? [];
  const added = options.ssh === '' ? undefined : readSshFlag(options.ssh);
  const agents = [...keys.map(readSshFlag).filter(({ id }) => id !== added?.id), ...(added ? [added] : [])];
  const secrets = build?.secrets ?? [];
  const contexts = Object.entries(build?.additional_contexts ?? {});
  if (secrets.length + agents.length + contexts.length === 0) return undefined;
  const terminal = { cwd: project.workingDir, env: { ...options.env, ...project.environment } };
  const nothing = { secrets: [], agents: [], contexts: [] };
  const found: BuildExtras[] = [];
  for (const [index, reference] of secrets.entries()) {
    const blame = { project, service, key: ['secrets', String(index)] };
    found.push(
      await blaming(blame, () =>
        findExtras(
          { ...nothing, secrets: [secretSource(reference, { project, service, warn: options.warn })] },
          terminal,
        ),
      ),
    );
  }
  found.push(await blaming({ project, service, key: ['ssh'] }, () => findExtras({ ...nothing, agents }, terminal)));
  for (const [name, value] of contexts) {
    found.push(
      await blaming({ project, service, key: ['additional_contexts', name] }, () => {
        const context = readContextFlag(`${name}=${serviceContext(project, value)}`);
        return findExtras({ ...nothing, contexts: [context] }, terminal);
      }),
    );
  }
  return {
    secrets: new Map(found.flatMap((one) => [...one.secrets])),
    agents: new Map(found.flatMap((one) => [...one.agents])),
    contexts: new Map(found.flatMap((one) => [...one.contexts])),
  };
}
