import { isList, isMap, mapAt, type Path, scalarText, type Tree, type TreeMap, textAt, treeMap } from './tree.ts';

/** Gives variables named without a value the one they have; `keep` says what happens to those that have none. */
function resolveVariables(value: Tree, environment: ReadonlyMap<string, string>, keep: boolean): Tree {
  if (isList(value)) {
    return value.flatMap((entry) => {
      const text = scalarText(entry);
      if (text.includes('=')) return [text];
      const found = environment.get(text);
      if (found !== undefined) return [`${text}=${found}`];
      return keep ? [text] : [];
    });
  }
  if (!isMap(value)) return value;
  const resolved: TreeMap = new Map();
  for (const [name, entry] of value) {
    const found = entry === null ? environment.get(name) : entry;
    if (found !== undefined) resolved.set(name, found);
    else if (keep) resolved.set(name, null);
  }
  return resolved;
}

/** True for the path of a list that the normal form makes anew, with the values of variables. */
export function isRebuilt([section, , ...keys]: Path): boolean {
  return section === 'services' && ['environment', 'build.args'].includes(keys.join('.'));
}

function dependency(restart: boolean): TreeMap {
  return treeMap({ condition: 'service_started', restart, required: true });
}

/** Adds to `depends_on` what links, shared namespaces and `volumes_from` imply. */
function addImpliedDependencies(service: TreeMap): void {
  const dependsOn = mapAt(service, 'depends_on') ?? new Map<string, Tree>();
  const add = (name: string, restart: boolean) => {
    if (!dependsOn.has(name)) dependsOn.set(name, dependency(restart));
  };
  const listAt = (key: string): string[] => {
    const value = service.get(key);
    return isList(value) ? value.map(scalarText) : [];
  };
  for (const link of listAt('links')) {
    const [name = '', , extra] = link.split(':');
    add(extra === undefined ? name : link, true);
  }
  for (const key of ['network_mode', 'ipc', 'pid', 'uts', 'cgroup']) {
    const value = textAt(service, key);
    if (value?.startsWith('service:')) add(value.slice('service:'.length), true);
  }
  for (const source of listAt('volumes_from')) {
    if (!source.startsWith('container:')) add(source.split(':')[0] ?? source, false);
  }
  if (dependsOn.size > 0) service.set('depends_on', dependsOn);
}

function normaliseService(service: TreeMap, environment: ReadonlyMap<string, string>): void {
  if (service.get('pull_policy') === 'if_not_present') service.set('pull_policy', 'missing');
  const build = mapAt(service, 'build');
  if (build) {
    if (!build.has('dockerfile') && !build.has('dockerfile_inline')) build.set('dockerfile', 'Dockerfile');
    const args = build.get('args');
    if (args !== undefined) build.set('args', resolveVariables(args, environment, false));
  }
  const variables = service.get('environment');
  if (variables !== undefined) service.set('environment', resolveVariables(variables, environment, true));
  addImpliedDependencies(service);
}

/** Puts services that name no network on `default`, and declares it when it is used. */
function addDefaultNetwork(model: TreeMap): void {
  const networks = mapAt(model, 'networks') ?? new Map<string, Tree>();
  let used = false;
  for (const service of mapAt(model, 'services')?.values() ?? []) {
    if (!isMap(service) || service.has('provider') || service.has('network_mode')) continue;
    const declared = mapAt(service, 'networks');
    if (declared === undefined || declared.size === 0) service.set('networks', new Map([['default', null]]));
    used ||= mapAt(service, 'networks')?.has('default') ?? false;
  }
  if (used && !networks.has('default')) networks.set('default', null);
  if (networks.size > 0) model.set('networks', networks);
}

/** What Go's `strconv.ParseBool` takes as true: `external` is still text where variables are not replaced. */
function isTrue(value: Tree | undefined): boolean {
  return value !== undefined && /^(?:1|t|T|true|True|TRUE)$/.test(scalarText(value));
}

function setNames(model: TreeMap, projectName: string): void {
  for (const section of ['networks', 'volumes', 'configs', 'secrets']) {
    const resources = mapAt(model, section);
    for (const [key, value] of resources ?? []) {
      const resource: TreeMap = isMap(value) ? value : new Map();
      if (!resource.has('name')) resource.set('name', isTrue(resource.get('external')) ? key : `${projectName}_${key}`);
      resources?.set(key, resource);
    }
  }
}

/**
 * Writes down what a merged model implies: the default network, names, build defaults, implied dependencies, and the
 * values of variables that are only named. Changes `model`.
 */
export function normalise(model: TreeMap, projectName: string, environment: ReadonlyMap<string, string>): void {
  model.set('name', projectName);
  addDefaultNetwork(model);
  for (const service of mapAt(model, 'services')?.values() ?? []) {
    if (isMap(service)) normaliseService(service, environment);
  }
  setNames(model, projectName);
}
