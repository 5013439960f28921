import { dirname, resolve } from 'node:path';
import { errnoOf, invalid, notFound } from '#base';
import type { Project } from '../model/project.ts';
import { buildModel, type SourceText, secretValueKey } from './build-model.ts';
import { checkConsistency, checkContainerNames } from './check-consistency.ts';
import { decodeModel } from './decode-project.ts';
import { findComposeFiles } from './find-files.ts';
import { interpolate as interpolateTree } from './interpolate.ts';
import type { LoadOptions } from './load-options.ts';
import type { ModelScope } from './load-scope.ts';
import { normalise } from './normalise.ts';
import { defaultEnvFile, readEnvFiles } from './project-environment.ts';
import { projectName } from './project-name.ts';
import { isRemote } from './resolve-paths.ts';
import { divideByProfile, dropUnused, selectServices } from './select-services.ts';
import { resolveEnvFiles, resolveLabelFiles } from './service-files.ts';
import { sortedRecord } from './shape.ts';
import { diskReader, unreadable } from './source-reader.ts';
import { Sources } from './sources.ts';
import { isMap, mapAt, scalarText, type TreeMap } from './tree.ts';

/** Which files make up a project, and the variables they see. */
interface Setting {
  /** Absolute, or `-`. */
  files: string[];
  envFiles: string[];
  directory: string;
  environment: Map<string, string>;
}

/** A merged model before it has types, and what it was made from. */
interface Loaded extends Setting {
  name: string;
  model: TreeMap;
  sources: Sources;
  warnings: Set<string>;
}

function splitList(value: string | undefined, separator: string): string[] {
  return value ? value.split(separator) : [];
}

async function findSetting(options: LoadOptions, warn: (message: string) => void): Promise<Setting> {
  const { workingDir, reader = diskReader } = options;
  const processVariables = new Map<string, string>();
  for (const [name, value] of Object.entries(options.environment))
    if (value !== undefined) processVariables.set(name, value);
  processVariables.set('PWD', workingDir);
  const onUnset = (name: string) => warn(`The "${name}" variable is not set. Defaulting to a blank string.`);
  const absolute = (path: string) => resolve(workingDir, path);
  const given = options.envFiles?.length ? options.envFiles : splitList(processVariables.get('COMPOSE_ENV_FILES'), ',');

  const directoryOf = (files: readonly string[]): string => {
    if (options.projectDirectory) return absolute(options.projectDirectory);
    const first = files.find((file) => file !== '-');
    return first === undefined ? workingDir : dirname(first);
  };
  const withEnvFiles = async (directory: string, known: Map<string, string>) => {
    const envFiles = given.length > 0 ? given.map(absolute) : await defaultEnvFile(directory, processVariables, reader);
    const read = await readEnvFiles(envFiles, { reader, environment: known, onUnset });
    return { envFiles, environment: new Map([...read, ...known]) };
  };

  let files = (options.files ?? []).map((file) => (file === '-' || isRemote(file) ? file : absolute(file)));
  let { envFiles, environment } = await withEnvFiles(directoryOf(files), processVariables);
  if (files.length === 0) {
    const separator = environment.get('COMPOSE_PATH_SEPARATOR') || ':';
    files = splitList(environment.get('COMPOSE_FILE'), separator).map((file) => (file === '-' ? file : absolute(file)));
    if (files.length === 0) {
      const start = options.projectDirectory ? absolute(options.projectDirectory) : workingDir;
      files = await findComposeFiles(start, reader, warn);
    }
    if (files.length === 0) throw notFound('no configuration file provided: not found');
    ({ envFiles, environment } = await withEnvFiles(directoryOf(files), environment));
  }
  return { files, envFiles, directory: directoryOf(files), environment };
}

async function readSources(files: readonly string[], options: LoadOptions): Promise<SourceText[]> {
  const { reader = diskReader, readInput } = options;
  return Promise.all(
    files.map(async (name) => {
      if (isRemote(name) || name.startsWith('oci://'))
        throw invalid(`cannot load ${name}: only local files are supported`);
      if (name === '-') {
        if (!readInput) throw invalid('standard input is not available here: name a file with --file');
        return { name, text: await readInput() };
      }
      try {
        return { name, text: await reader.read(name) };
      } catch (error) {
        const fault = errnoOf(error) === 'ENOENT' ? notFound : invalid;
        throw fault(unreadable(name, error), { cause: error });
      }
    }),
  );
}

/** The last `name` that the files give, with its variables replaced. */
function nameInFiles(
  texts: readonly SourceText[],
  sources: Sources,
  setting: Setting,
  interpolate: boolean,
): string | undefined {
  let name: string | undefined;
  for (const { name: file, text } of texts) name = sources.parse(file, text).topLevelText('name') ?? name;
  if (name === undefined || !interpolate || !name.includes('$')) return name;
  const variables = { lookup: (key: string) => setting.environment.get(key) };
  return scalarText(interpolateTree(name, { variables, sources, warn: () => {} }, ['name']));
}

async function load(options: LoadOptions): Promise<Loaded> {
  const { interpolate = true, reader = diskReader } = options;
  const warnings = new Set<string>();
  const warn = (message: string) => void warnings.add(message);
  const setting = await findSetting(options, warn);
  const sources = new Sources();
  const texts = await readSources(setting.files, options);
  const explicit = { flag: options.projectName, variable: setting.environment.get('COMPOSE_PROJECT_NAME') };
  const named = explicit.flag || explicit.variable;
  const file = named ? undefined : nameInFiles(texts, sources, setting, interpolate);
  const name = projectName({ ...explicit, file, directory: setting.directory });
  // The normal form of a name is part of the normal form of a project.
  const shown = options.normalise === false ? file || name : name;
  setting.environment.set('COMPOSE_PROJECT_NAME', shown);
  const scope: ModelScope = {
    reader,
    sources,
    interpolate,
    resolvePaths: options.resolvePaths ?? true,
    warn,
    base: options.resolvePaths === false ? '.' : setting.directory,
    directory: setting.directory,
    environment: setting.environment,
    includedFrom: [],
  };
  const model = await buildModel(texts, scope);
  if (model.size === 0) throw invalid('empty compose file');
  if (name === '') {
    const hint = 'name it with --project-name or a top-level "name"';
    throw sources.error('project name must not be empty', ['name'], { hint });
  }
  model.delete('name');
  if (options.normalise ?? true) normalise(model, name, interpolate ? setting.environment : new Map());
  return { ...setting, name: shown, model, sources, warnings };
}

/** The profiles asked for, and those of services that are named. None asked for is the one without a name. */
function activeProfiles(options: LoadOptions, loaded: Loaded, services: Project['services']): string[] {
  const variable = (loaded.environment.get('COMPOSE_PROFILES') ?? '').split(',').map((profile) => profile.trim());
  const asked = options.profiles?.length ? options.profiles : variable;
  const named = (options.services ?? []).flatMap((name) => {
    const own = Object.hasOwn(services, name) ? services[name]?.profiles : undefined;
    return own && !own.some((profile) => asked.includes(profile)) ? own : [];
  });
  return [...new Set([...asked, ...named])];
}

/**
 * Loads a project: finds and reads its files, merges, checks and normalises them.
 * Throws `not-found` when there is no file or no such service, else `invalid`; the messages begin with docker
 * compose's own text and end with file, line and, where there is one, a hint.
 */
export async function loadProject(options: LoadOptions): Promise<Project> {
  const loaded = await load(options);
  const { model, sources, environment, warnings } = loaded;
  model.delete('name');
  const { services, ...decoded } = decodeModel(model, sources, (message) => void warnings.add(message));
  const profiles = activeProfiles(options, loaded, services);
  const { on, off } = divideByProfile(services, profiles);
  if (options.checkConsistency ?? true) {
    checkConsistency({ model: { ...decoded, services: on }, disabled: off, sources });
  }
  const files = {
    workingDir: options.workingDir,
    reader: options.reader ?? diskReader,
    sources,
    environment,
    onUnset: (name: string) => void warnings.add(`The "${name}" variable is not set. Defaulting to a blank string.`),
  };
  for (const service of Object.values(on)) {
    if (options.resolveEnvironment ?? true) await resolveEnvFiles(service, files);
    await resolveLabelFiles(service, files);
  }
  const project: Project = {
    name: loaded.name,
    workingDir: loaded.directory,
    composeFiles: loaded.files,
    envFiles: loaded.envFiles,
    environment: sortedRecord(environment),
    profiles,
    ...decoded,
    services: on,
    disabledServices: off,
    warnings: [...warnings],
    locate: (path) => {
      const at = sources.locate([...path]);
      return at && `${at.file}:${at.line}`;
    },
  };
  selectServices(project, options.services ?? []);
  if (!options.allResources) dropUnused(project);
  if (options.checkConsistency ?? true) checkContainerNames(project.services, sources);
  return project;
}

/** Takes out the values of variables that secrets and configs are made of: a document must not show them. */
function dropEnvironmentValues(model: TreeMap): void {
  for (const secret of mapAt(model, 'secrets')?.values() ?? []) if (isMap(secret)) secret.delete(secretValueKey);
  for (const config of mapAt(model, 'configs')?.values() ?? []) {
    if (isMap(config) && config.has('environment')) config.delete('content');
  }
}

/** The merged model as it stands before it gets types, for `config --no-interpolate` and `--variables`. */
export interface RawModel {
  name: string;
  model: TreeMap;
  warnings: string[];
}

/** Loads a project's files without giving them types: what does not fit may still be a variable. */
export async function loadModel(options: LoadOptions): Promise<RawModel> {
  const { name, model, warnings } = await load(options);
  dropEnvironmentValues(model);
  return { name, model, warnings: [...warnings] };
}
