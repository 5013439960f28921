import { type Document, hasRecordKeys } from '../model/config-document.ts';
import type { FileObject, Project } from '../model/project.ts';
import type { Service } from '../model/service.ts';
import { serviceKeys } from '../model/service-keys.ts';
import { compareNaturally } from './natural-order.ts';
import { inYamlOrder, yamlText } from './yaml-text.ts';

const lowerCase: Readonly<Record<string, string>> = { Path: 'path', Rate: 'rate', Weight: 'weight' };

function isEmpty(value: unknown): boolean {
  if (value instanceof Map) return value.size === 0;
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

/** Structures that YAML output leaves out when they say nothing, although JSON output shows them. */
function saysNothing(key: string, value: unknown): boolean {
  if (key === 'ipam' || key === 'resources' || key === 'placement') return isEmpty(value);
  if (key === 'exec') return isEmpty(yamlValue(value, false));
  return (key === 'command' || key === 'entrypoint') && value === null;
}

function yamlValue(value: unknown, isRecord: boolean): unknown {
  if (Array.isArray(value)) return value.map((entry) => yamlValue(entry, false));
  if (typeof value !== 'object' || value === null) return value;
  // A Map keeps keys such as "10" where they are.
  const entries = new Map<string, unknown>();
  const pairs = Object.entries(value);
  if (isRecord) pairs.sort(([a], [b]) => compareNaturally(a, b));
  for (const [key, entry] of pairs) {
    if (!isRecord && saysNothing(key, entry)) continue;
    const isExtension = key.startsWith('x-') && !isRecord;
    const inner = isExtension ? inYamlOrder(entry) : yamlValue(entry, !isRecord && hasRecordKeys(key));
    entries.set(isRecord ? key : (lowerCase[key] ?? key), inner);
  }
  return entries;
}

/** Both limits, where JSON output leaves out those that are 0. */
function ulimitsValue(ulimits: Service['ulimits']): unknown {
  const entries = Object.entries(ulimits ?? {}).map(
    ([name, limit]) => [name, typeof limit === 'number' ? limit : { soft: 0, hard: 0, ...limit }] as const,
  );
  return Object.fromEntries(entries);
}

function serviceValue(service: Service): unknown {
  const entries = new Map<string, unknown>(Object.entries(service));
  const own = [...entries.keys()].filter((key) => key.startsWith('x-')).sort(compareNaturally);
  const ordered: Document = {};
  for (const key of [...serviceKeys, ...own]) if (entries.get(key) !== undefined) ordered[key] = entries.get(key);
  const { build, ulimits } = service;
  if (ulimits) ordered.ulimits = ulimitsValue(ulimits);
  if (build?.ulimits) ordered.build = { ...build, ulimits: ulimitsValue(build.ulimits) };
  return yamlValue(ordered, false);
}

function fileObjectValue(object: FileObject, isSecret: boolean): unknown {
  const content = isSecret || object.environment ? undefined : object.content || undefined;
  return yamlValue({ ...object, content }, false);
}

function section<T>(objects: Record<string, T>, valueFor: (object: T) => unknown): Map<string, unknown> | undefined {
  const entries = Object.entries(objects)
    .sort(([a], [b]) => compareNaturally(a, b))
    .map(([key, object]) => [key, valueFor(object)] as const);
  return entries.length === 0 ? undefined : new Map(entries);
}

/** What `config` prints, before `$` is doubled: as the JSON document, with the `x-` keys and models, and no nulls. */
export function configYaml(project: Project): string {
  const document = new Map<string, unknown>([['name', project.name]]);
  const add = (key: string, value: unknown) => value !== undefined && document.set(key, value);
  add('services', section(project.services, serviceValue) ?? {});
  add(
    'networks',
    section(project.networks, (network) => yamlValue(network, false)),
  );
  add(
    'volumes',
    section(project.volumes, (volume) => yamlValue(volume, false)),
  );
  add(
    'secrets',
    section(project.secrets, (secret) => fileObjectValue(secret, true)),
  );
  add(
    'configs',
    section(project.configs, (config) => fileObjectValue(config, false)),
  );
  add(
    'models',
    section(project.models, (model) => yamlValue(model, false)),
  );
  const extensions = Object.entries(project.extensions).sort(([a], [b]) => compareNaturally(a, b));
  for (const [key, value] of extensions) add(key, inYamlOrder(value));
  return yamlText(document);
}
