import { access, readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { messageOf, notFound, unavailable } from '#base';

/** Where plugins make themselves known, in the order of looking. */
export interface PluginPlaces {
  /** Directories of `NAME.sock`. */
  readonly sockets: readonly string[];
  /** Directories of `NAME.spec`: a file with `unix:///path` or `tcp://host:port`. */
  readonly specs: readonly string[];
}

/** Docker's places. */
export const defaultPluginPlaces: PluginPlaces = {
  sockets: ['/run/docker/plugins'],
  specs: ['/etc/docker/plugins', '/usr/lib/docker/plugins'],
};

/** A volume as a plugin lists it. */
export interface ListedVolume {
  readonly name: string;
  /** Empty while it is not mounted. */
  readonly directory: string;
  /** ms since the epoch; 0 where the plugin does not say. */
  readonly createdAt: number;
}

type Place = { readonly socketPath: string } | { readonly host: string; readonly port: number };
type Answer = Readonly<Record<string, unknown>>;

/** A plugin that does not answer for so long, in ms, has failed. */
const PATIENCE = 60_000;
/** The same for questions that change nothing. */
export const SHORT_PATIENCE = 5_000;
/** What plugins are asked in (Docker's plugin API, "Volume plugin protocol"). */
const CONTENT_TYPE = 'application/vnd.docker.plugins.v1.1+json';

/**
 * Volumes kept by somebody else's program, which speaks Docker's volume plugin protocol (version 1: a POST of JSON for each
 * verb, on a socket). Every method throws `unavailable` with the plugin's words.
 */
export class PluginDriver {
  readonly name: string;
  readonly #place: Place;

  private constructor(name: string, place: Place) {
    this.name = name;
    this.#place = place;
  }

  /** The plugin of that name, activated; `patience` in ms. Throws `not-found` where there is none, or it keeps no volumes. */
  static async find(name: string, places: PluginPlaces, patience = PATIENCE): Promise<PluginDriver> {
    const place = await locate(name, places);
    if (!place) throw notFound(`plugin "${name}" not found`);
    const driver = new PluginDriver(name, place);
    const { Implements: implemented } = await driver.#call('Plugin.Activate', {}, patience);
    if (!Array.isArray(implemented) || !implemented.includes('VolumeDriver')) {
      throw notFound(`plugin "${name}" keeps no volumes`);
    }
    return driver;
  }

  /** Names of the plugins that made themselves known, whatever they do. */
  static async names({ sockets, specs }: PluginPlaces): Promise<string[]> {
    const names = new Set<string>();
    for (const directory of sockets) {
      for (const entry of await entriesOf(directory)) {
        if (entry.endsWith('.sock')) names.add(entry.slice(0, -'.sock'.length));
        else if (await exists(join(directory, entry, `${entry}.sock`))) names.add(entry);
      }
    }
    for (const directory of specs) {
      for (const entry of await entriesOf(directory)) {
        if (entry.endsWith('.spec')) names.add(entry.slice(0, -'.spec'.length));
      }
    }
    return [...names].sort();
  }

  async create(volume: string, options: Readonly<Record<string, string>>): Promise<void> {
    await this.#call('VolumeDriver.Create', { Name: volume, Opts: options });
  }

  async remove(volume: string): Promise<void> {
    await this.#call('VolumeDriver.Remove', { Name: volume });
  }

  /** Resolves with the directory on the host. `user` tells the plugin several users apart. */
  async mount(volume: string, user: string): Promise<string> {
    const { Mountpoint: directory } = await this.#call('VolumeDriver.Mount', { Name: volume, ID: user });
    if (typeof directory === 'string' && directory.startsWith('/')) return directory;
    throw unavailable(`VolumeDriver.Mount: plugin "${this.name}" gave no directory for volume ${volume}`);
  }

  async unmount(volume: string, user: string): Promise<void> {
    await this.#call('VolumeDriver.Unmount', { Name: volume, ID: user });
  }

  /** What the plugin knows of a volume; `directory` only while it is mounted. Asked while somebody waits, so not for long. */
  async get(volume: string): Promise<{ directory: string; status: Readonly<Record<string, unknown>> | undefined }> {
    const { Volume: found } = await this.#call('VolumeDriver.Get', { Name: volume }, SHORT_PATIENCE);
    const { Mountpoint: directory, Status: status } = isAnswer(found) ? found : {};
    return { directory: typeof directory === 'string' ? directory : '', status: isAnswer(status) ? status : undefined };
  }

  /** All volumes that the plugin has, whoever made them. What has no name is left out. */
  async list(): Promise<ListedVolume[]> {
    const { Volumes: found } = await this.#call('VolumeDriver.List', {}, SHORT_PATIENCE);
    if (!Array.isArray(found)) return [];
    return found.filter(isAnswer).flatMap(({ Name: name, Mountpoint: directory, CreatedAt: time }) => {
      if (typeof name !== 'string' || name === '') return [];
      const createdAt = typeof time === 'string' ? Date.parse(time) || 0 : 0;
      return [{ name, directory: typeof directory === 'string' ? directory : '', createdAt }];
    });
  }

  /** Whether its volumes are the same on every host (`global`); plugins of before Docker 1.12 do not say. */
  async scope(): Promise<'local' | 'global'> {
    const { Capabilities: found } = await this.#call('VolumeDriver.Capabilities', {}, SHORT_PATIENCE);
    return isAnswer(found) && found.Scope === 'global' ? 'global' : 'local';
  }

  async #call(verb: string, body: object, patience = PATIENCE): Promise<Answer> {
    let answer: Answer;
    try {
      answer = await post(this.#place, { verb, body, patience });
    } catch (error) {
      throw unavailable(`${verb}: plugin "${this.name}" does not answer: ${messageOf(error)}`, { cause: error });
    }
    if (typeof answer.Err === 'string' && answer.Err !== '') throw unavailable(`${verb}: ${answer.Err}`);
    return answer;
  }
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null;
}

async function post(
  place: Place,
  { verb, body, patience }: { verb: string; body: object; patience: number },
): Promise<Answer> {
  const text = JSON.stringify(body);
  const headers = { accept: CONTENT_TYPE, 'content-type': CONTENT_TYPE, 'content-length': Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(patience);
    const call = request({ ...place, method: 'POST', path: `/${verb}`, headers, signal }, (response) => {
      json(response).then((answer) => {
        if (isAnswer(answer)) resolve(answer);
        else reject(new Error(`status ${response.statusCode}`));
      }, reject);
    });
    call.on('error', reject);
    call.end(text);
  });
}

async function locate(name: string, places: PluginPlaces): Promise<Place | undefined> {
  if (!/^[a-zA-Z0-9][\w.-]*$/.test(name)) return undefined;
  for (const directory of places.sockets) {
    for (const socketPath of [join(directory, `${name}.sock`), join(directory, name, `${name}.sock`)]) {
      if (await exists(socketPath)) return { socketPath };
    }
  }
  for (const directory of places.specs) {
    const text = await readFile(join(directory, `${name}.spec`), 'utf8').catch(() => '');
    const place = parseSpec(text.trim());
    if (place) return place;
  }
  return undefined;
}

function parseSpec(text: string): Place | undefined {
  if (text.startsWith('unix://')) return { socketPath: text.slice('unix://'.length) };
  const [, host, port] = /^tcp:\/\/([^/:]+):(\d+)\/?$/.exec(text) ?? [];
  return host === undefined ? undefined : { host, port: Number(port) };
}

/** What is in a directory; nothing where there is none. */
function entriesOf(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
