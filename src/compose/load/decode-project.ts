import type { FileObject, Model, Network, Volume } from '../model/project.ts';
import type { Service } from '../model/service.ts';
import type { Extensions } from '../model/service-parts.ts';
import { secretValueKey } from './build-model.ts';
import { eachDecoded, wording } from './decode-fault.ts';
import { serviceFields } from './service-fields.ts';
import {
  always,
  type Fields,
  flag,
  integer,
  list,
  mapping,
  optionalFlag,
  sortedRecord,
  struct,
  structOf,
  text,
  texts,
} from './shape.ts';
import type { Sources } from './sources.ts';
import { isMap, mapAt, plainOf, type Tree, type TreeMap, textAt } from './tree.ts';

/** The objects of a project, as {@link decodeModel} makes them from a canonical model. */
export interface DecodedModel {
  services: Record<string, Service>;
  networks: Record<string, Network>;
  volumes: Record<string, Volume>;
  secrets: Record<string, FileObject>;
  configs: Record<string, FileObject>;
  models: Record<string, Model>;
  extensions: Extensions;
}

const pool = struct({ subnet: text, gateway: text, ip_range: text, aux_addresses: mapping });

const networkFields: Fields = {
  name: text,
  driver: text,
  driver_opts: mapping,
  ipam: always(struct({ driver: text, config: list(pool) }), {}),
  external: flag,
  internal: flag,
  attachable: flag,
  labels: mapping,
  enable_ipv4: optionalFlag,
  enable_ipv6: optionalFlag,
};

const volumeFields: Fields = { name: text, driver: text, driver_opts: mapping, external: flag, labels: mapping };

const fileObjectFields: Fields = {
  name: text,
  file: text,
  environment: text,
  content: text,
  external: flag,
  labels: mapping,
  driver: text,
  driver_opts: mapping,
  template_driver: text,
};

const modelFields: Fields = { name: text, model: text, context_size: integer, runtime_flags: texts };

/** Gives the canonical `model` its types. Throws `invalid` for a value that its key cannot take. */
export function decodeModel(model: TreeMap, sources: Sources, warn: (message: string) => void): DecodedModel {
  return wording(sources, [], () => decodeSections(model, warn));
}

function decodeSections(model: TreeMap, warn: (message: string) => void): DecodedModel {
  const section = <T>(name: string, fields: Fields, finish: (value: T, key: string, tree: TreeMap) => void) => {
    const objects = [...(mapAt(model, name) ?? new Map<string, Tree>())];
    const entries = eachDecoded(objects, ([key, value]) => {
      const tree: TreeMap = isMap(value) ? value : new Map();
      // The fields are those of T: this is where the document gets its type.
      const decoded = structOf(tree, fields, { path: [name, `[${key}]`], warn }) as T;
      finish(decoded, key, tree);
      return [key, decoded] as const;
    });
    return sortedRecord(entries);
  };
  const keep = () => {};
  return {
    services: section<Service>('services', serviceFields, (service, key) => {
      service.name = key;
    }),
    networks: section<Network>('networks', networkFields, keep),
    volumes: section<Volume>('volumes', volumeFields, keep),
    secrets: section<FileObject>('secrets', fileObjectFields, (secret, _key, tree) => {
      const value = textAt(tree, secretValueKey);
      if (value !== undefined) secret.content = value;
      delete secret[secretValueKey];
    }),
    configs: section<FileObject>('configs', fileObjectFields, keep),
    models: section<Model>('models', modelFields, keep),
    extensions: sortedRecord(
      [...model].filter(([key]) => key.startsWith('x-')).map(([key, value]) => [key, plainOf(value)] as const),
    ),
  };
}
