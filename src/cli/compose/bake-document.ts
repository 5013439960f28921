import { composeVersion, imageName, labels, type Project, type Service } from '#compose';

type Build = NonNullable<Service['build']>;

/** `docker`-style `name=soft:hard` words. */
function ulimitWords(ulimits: Build['ulimits']): string[] {
  return Object.entries(ulimits ?? {}).map(([name, limit]) =>
    typeof limit === 'number' ? `${name}=${limit}` : `${name}=${limit.soft ?? 0}:${limit.hard ?? 0}`,
  );
}

/** What is empty is left out of the document. */
function filled(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => {
      if (value === undefined || value === '' || value === false) return false;
      return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
    }),
  );
}

function sorted(map: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** How an image is asked for on the command line. */
export interface BakeOptions {
  /** Services to build; the others are there as what these may use. */
  readonly targets: readonly string[];
  readonly args: Readonly<Record<string, string | null>>;
  readonly noCache: boolean;
  readonly pull: boolean;
  readonly push: boolean;
}

/** Another service's image is another target's result. */
function bakeContexts({ additional_contexts: contexts = {} }: Build): Record<string, string> {
  return Object.fromEntries(
    Object.entries(contexts).map(([name, value]) => [name, value.replace(/^service:/, 'target:')]),
  );
}

function secretWords(project: Project, reference: NonNullable<Build['secrets']>[number]): string[] {
  const { source = '', target } = reference;
  const secret = project.secrets[source];
  if (secret?.environment) return [`id=${target || source},type=env,env=${secret.environment}`];
  return secret?.file ? [`id=${target || source},type=file,src=${secret.file}`] : [];
}

function bakeTarget(project: Project, service: Service, options: BakeOptions): Record<string, unknown> {
  const build = service.build ?? {};
  const inline = build.dockerfile_inline;
  const context = build.context ?? project.workingDir;
  const isPath = context.startsWith('/');
  const dockerfile = build.dockerfile || 'Dockerfile';
  const path = dockerfile.startsWith('/') || !isPath ? dockerfile : `${context}/${dockerfile}`;
  const args = Object.entries({ ...build.args, ...options.args }).filter(([, value]) => value !== null);
  return filled({
    context,
    contexts: sorted(bakeContexts(build)),
    dockerfile: inline === undefined ? path : undefined,
    'dockerfile-inline': inline?.replaceAll('${', () => '$${'),
    args: sorted(Object.fromEntries(args)),
    labels: sorted({
      ...build.labels,
      [labels.project]: project.name,
      [labels.service]: service.name,
      [labels.version]: composeVersion,
    }),
    tags: [imageName(project, service), ...(build.tags ?? [])],
    'cache-from': build.cache_from,
    'cache-to': build.cache_to,
    target: build.target,
    secret: build.secrets?.flatMap((reference) => secretWords(project, reference)),
    ssh: build.ssh,
    platforms: build.platforms,
    pull: options.pull || build.pull,
    'no-cache': options.noCache || build.no_cache,
    network: build.network,
    'shm-size': build.shm_size,
    ulimits: ulimitWords(build.ulimits),
    entitlements: [...(build.entitlements ?? []), ...(build.privileged ? ['security.insecure'] : [])],
    'extra-hosts': Object.fromEntries(
      (build.extra_hosts ?? []).map((word) => {
        const equals = word.indexOf('=');
        return [word.slice(0, equals), word.slice(equals + 1)];
      }),
    ),
    output: [options.push ? 'type=registry' : 'type=docker'],
  });
}

/** The builds of a project as a file of buildx bake: a group of the services asked for, and a target for every build. */
export function bakeDocument(project: Project, options: BakeOptions): Record<string, unknown> {
  // Builds may use those of services that take no part otherwise.
  const others = options.targets.flatMap((name) => project.disabledServices[name] ?? []);
  const services = [...Object.values(project.services), ...others].filter(({ build }) => build !== undefined);
  return {
    group: { default: { targets: options.targets } },
    target: Object.fromEntries(services.map((service) => [service.name, bakeTarget(project, service, options)])),
  };
}
