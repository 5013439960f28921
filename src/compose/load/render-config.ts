import { invalid, notFound } from '#base';
import { configDocument } from '../model/config-document.ts';
import { goJson } from '../model/go-json.ts';
import { serviceHash } from '../model/hash.ts';
import type { Project } from '../model/project.ts';
import { WholeFloat } from '../model/whole-float.ts';
import { configYaml } from './config-yaml.ts';
import type { LoadOptions } from './load-options.ts';
import { loadModel, loadProject } from './load-project.ts';
import { isRebuilt } from './normalise.ts';
import { sortedRecord } from './shape.ts';
import { type VariableUse, variableUses } from './template.ts';
import { isList, isMap, mapAt, type Path, plainOf, type Tree } from './tree.ts';
import { hasIdentity } from './unicity.ts';
import { inYamlOrder, yamlText } from './yaml-text.ts';

/** What `config` is asked to print instead of the whole document. */
export type ConfigSelection =
  | 'services'
  | 'volumes'
  | 'networks'
  | 'models'
  | 'images'
  | 'profiles'
  | 'variables'
  | 'environment';

/** A call of `config`: a project and how to show it. */
export interface ConfigRequest extends LoadOptions {
  /** Default `yaml`. */
  format?: 'yaml' | 'json' | undefined;
  /** Print only this, a name a line. */
  print?: ConfigSelection | undefined;
  /** `--hash`: names separated by commas, or `*`. */
  hash?: string | undefined;
  /** `--resolve-image-digests`: gives the image reference with its digest. */
  resolveDigest?: ((image: string) => Promise<string>) | undefined;
  /** `--lock-image-digests`: print an override file that pins the images; needs `resolveDigest`. */
  lockImages?: boolean;
}

/** Output of `config`, and what to tell the user beside it. */
export interface ConfigOutput {
  text: string;
  warnings: string[];
}

/** The image that a service runs: its own, or the name that its build gets. */
function imageOf(service: { name: string; image?: string }, projectName: string): string {
  return service.image ?? `${projectName}-${service.name}`;
}

function collectVariables(value: Tree, uses: Map<string, VariableUse>): void {
  if (typeof value === 'string') for (const use of variableUses(value)) uses.set(use.name, use);
  else if (isList(value)) for (const entry of value) collectVariables(entry, uses);
  else if (isMap(value)) for (const entry of value.values()) collectVariables(entry, uses);
}

async function variablesText(request: ConfigRequest): Promise<ConfigOutput> {
  const { model, warnings } = await loadModel({ ...request, interpolate: false });
  const found = new Map<string, VariableUse>();
  collectVariables(model, found);
  const uses = [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  if (request.format === 'json') {
    const document = uses.map(({ name, required, defaultValue, presenceValue }) => [
      name,
      { Name: name, DefaultValue: defaultValue, PresenceValue: presenceValue, Required: required },
    ]);
    return { text: `${JSON.stringify(Object.fromEntries(document), null, 4)}\n\n`, warnings };
  }
  const rows = uses.map((use) => [use.name, String(use.required), use.defaultValue, use.presenceValue]);
  const table = [['NAME', 'REQUIRED', 'DEFAULT VALUE', 'ALTERNATE VALUE'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(20, ...table.map((row) => (row[column] ?? '').length + 3)));
  const lines = table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(''));
  return { text: `${lines.join('\n')}\n`, warnings };
}

/** Names of services, each after those that it depends on. */
function inDependencyOrder(project: Project): string[] {
  const order = new Set<string>();
  const add = (name: string) => {
    if (order.has(name) || !Object.hasOwn(project.services, name)) return;
    for (const dependency of Object.keys(project.services[name]?.depends_on ?? {})) add(dependency);
    order.add(name);
  };
  for (const name of Object.keys(project.services)) add(name);
  return [...order];
}

function selection(project: Project, print: Exclude<ConfigSelection, 'variables'>): string[] {
  switch (print) {
    case 'services':
      return inDependencyOrder(project);
    case 'volumes':
      return Object.keys(project.volumes);
    case 'networks':
      return Object.keys(project.networks);
    case 'models':
      return Object.values(project.models).flatMap((model) => model.model ?? []);
    case 'images':
      return Object.values(project.services).map((service) => imageOf(service, project.name));
    case 'profiles': {
      const services = [...Object.values(project.services), ...Object.values(project.disabledServices)];
      return [...new Set(services.flatMap((service) => service.profiles ?? []))].sort();
    }
    case 'environment':
      return Object.entries(project.environment).map(([name, value]) => `${name}=${value}`);
  }
}

function hashLines(project: Project, names: string): string[] {
  const wanted = names === '*' ? Object.keys(project.services) : names.split(',').sort();
  return wanted.map((name) => {
    const service = Object.hasOwn(project.services, name) ? project.services[name] : undefined;
    if (!service) {
      throw notFound(`no such service: ${name}: ${project.disabledServices[name] ? 'disabled' : 'not found'}`);
    }
    return `${name} ${serviceHash(service)}`;
  });
}

async function pinImages(project: Project, resolve: (image: string) => Promise<string>): Promise<void> {
  const services = Object.values(project.services).filter((service) => service.image);
  await Promise.all(
    services.map(async (service) => {
      if (service.image) service.image = await resolve(service.image);
    }),
  );
}

async function rawConfig(request: ConfigRequest): Promise<ConfigOutput> {
  const { model, warnings } = await loadModel(request);
  const loaded = plainOf(model);
  const document = request.format === 'json' ? withoutEmptyLists(loaded, [], request.normalise !== false) : loaded;
  if (request.print === 'services') {
    return { text: [...(mapAt(model, 'services')?.keys() ?? [])].map((name) => `${name}\n`).join(''), warnings };
  }
  const text = request.format === 'json' ? goJson(sortKeys(document), 2) : yamlText(inYamlOrder(document) as object);
  return { text, warnings };
}

/** Empty lists are null in docker compose's JSON, but for those that it looked through for repetitions last of all. */
function withoutEmptyLists(value: unknown, path: Path, isNormal: boolean): unknown {
  if (Array.isArray(value)) {
    if (value.length === 0) return hasIdentity(path) && !(isNormal && isRebuilt(path)) ? value : null;
    return value.map((entry, index) => withoutEmptyLists(entry, [...path, String(index)], isNormal));
  }
  if (typeof value !== 'object' || value === null || value instanceof WholeFloat) return value;
  const entries = Object.entries(value).map(
    ([key, entry]) => [key, withoutEmptyLists(entry, [...path, key], isNormal)] as const,
  );
  return sortedRecord(entries);
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null || value instanceof WholeFloat) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, entry]) => [key, sortKeys(entry)]));
}

function lines(names: readonly string[]): string {
  return names.map((name) => `${name}\n`).join('');
}

/**
 * Does what `docker compose config` does with the flags in `request`, and returns its output. In documents every `$`
 * is doubled, so that the output is a Compose file again. Throws as {@link loadProject} does.
 */
export async function renderConfig(request: ConfigRequest): Promise<ConfigOutput> {
  if (request.print === 'variables') return variablesText(request);
  if (request.interpolate === false) return rawConfig(request);
  const whole = request.print !== undefined || request.hash !== undefined;
  const isSelected = !whole || request.print === 'images' || request.print === 'profiles';
  const project = await loadProject({
    ...request,
    services: isSelected ? (request.services ?? []) : [],
    resolveEnvironment: whole && request.print !== 'environment' ? false : (request.resolveEnvironment ?? true),
  });
  const { warnings } = project;
  if (request.hash !== undefined) return { text: lines(hashLines(project, request.hash)), warnings };
  if (request.print !== undefined) return { text: lines(selection(project, request.print)), warnings };
  if (request.lockImages && !request.resolveDigest) throw invalid('locking image digests needs a way to resolve them');
  if (request.resolveDigest) await pinImages(project, request.resolveDigest);
  const text = request.lockImages
    ? yamlText({ services: lockedImages(project) })
    : request.format === 'json'
      ? goJson(configDocument(project), 2)
      : configYaml(project);
  return { text: text.replaceAll('$', '$$$$'), warnings };
}

function lockedImages(project: Project): Record<string, { image: string }> {
  const entries = Object.values(project.services).flatMap(({ name, image }) =>
    image ? [[name, { image }] as const] : [],
  );
  return Object.fromEntries(entries);
}
