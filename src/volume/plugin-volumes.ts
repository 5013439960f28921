import { isBerthError, messageOf, notFound, unavailable } from '#base';
import { PluginDriver, type PluginPlaces, SHORT_PATIENCE } from './plugin-driver.ts';
import type { Volume } from './volume.ts';

/** Whose a volume is. */
interface PluginVolume {
  readonly name: string;
  readonly driver: string;
}

/** What only the plugin knows of a volume. */
interface PluginFacts {
  /** Where it is mounted; empty while it is not. */
  readonly mountpoint: string;
  readonly scope: 'local' | 'global';
  readonly status?: Readonly<Record<string, unknown>>;
}

/**
 * Volumes that programs of others keep: finds the program for each. Every user of a volume is told to the plugin by an
 * id of its own, so that it can count them; that a user goes on after a restart of the daemon is no news to it.
 */
export class PluginVolumes {
  readonly #places: PluginPlaces;
  /** Directories that plugins gave, while mounted. */
  readonly #directories = new Map<string, string>();
  readonly #scopes = new Map<string, PluginFacts['scope']>();

  constructor(places: PluginPlaces) {
    this.#places = places;
  }

  /** Where a volume is mounted; undefined while it is not, or when that was done for an earlier daemon. */
  directory(name: string): string | undefined {
    return this.#directories.get(name);
  }

  /** What is known without asking. */
  facts({ name, driver }: PluginVolume): PluginFacts {
    return { mountpoint: this.#directories.get(name) ?? '', scope: this.#scopes.get(driver) ?? 'local' };
  }

  /** What the plugin says; what is known without it when it does not answer. */
  async ask(volume: PluginVolume): Promise<PluginFacts> {
    try {
      const plugin = await this.#plugin(volume, 'get');
      const { directory, status } = await plugin.get(volume.name);
      const scope = await this.#scopeOf(plugin);
      return { mountpoint: directory, scope, ...(status ? { status } : {}) };
    } catch {
      return this.facts(volume);
    }
  }

  /** All that plugins have, whoever made it, and a sentence for each plugin that cannot tell. */
  async list(): Promise<{ volumes: Volume[]; warnings: string[] }> {
    const warnings: string[] = [];
    const names = await PluginDriver.names(this.#places);
    const lists = await Promise.all(
      names.map(async (driver) => {
        try {
          return await this.#listOf(driver);
        } catch (error) {
          // Whoever is no volume driver, or has just gone, has none to tell of.
          if (!isBerthError(error, 'not-found')) warnings.push(`volumes of driver ${driver}: ${messageOf(error)}`);
          return [];
        }
      }),
    );
    return { volumes: lists.flat(), warnings };
  }

  /** Throws `not-found` ("create X: error looking up volume plugin ..."), `unavailable` with the plugin's words. */
  async create(volume: PluginVolume, options: Readonly<Record<string, string>>): Promise<void> {
    const plugin = await this.#plugin(volume, 'create');
    await told(`create ${volume.name}`, plugin.create(volume.name, options));
    await this.#scopeOf(plugin);
  }

  async remove(volume: PluginVolume): Promise<void> {
    const plugin = await this.#plugin(volume, 'remove');
    await told(`remove ${volume.name}`, plugin.remove(volume.name));
  }

  /** Resolves with the directory on the host. */
  async mount(volume: PluginVolume, user: string): Promise<string> {
    const plugin = await this.#plugin(volume, 'mount');
    const known = this.#directories.get(volume.name) ?? '';
    const directory = await told(`error while mounting volume '${known}'`, plugin.mount(volume.name, user));
    this.#directories.set(volume.name, directory);
    return directory;
  }

  /** `last` when nobody else has it mounted. */
  async unmount(volume: PluginVolume, user: string, last: boolean): Promise<void> {
    if (last) this.#directories.delete(volume.name);
    const plugin = await this.#plugin(volume, 'unmount');
    await told(`error while unmounting volume '${volume.name}'`, plugin.unmount(volume.name, user));
  }

  async #listOf(driver: string): Promise<Volume[]> {
    const plugin = await PluginDriver.find(driver, this.#places, SHORT_PATIENCE);
    const scope = await this.#scopeOf(plugin);
    return (await plugin.list()).map(({ name, directory: mountpoint, createdAt }) => ({
      ...{ name, driver, mountpoint, createdAt, scope },
      labels: {},
      options: {},
      anonymous: false,
    }));
  }

  async #scopeOf(plugin: PluginDriver): Promise<PluginFacts['scope']> {
    const scope = this.#scopes.get(plugin.name) ?? (await plugin.scope().catch(() => 'local' as const));
    this.#scopes.set(plugin.name, scope);
    return scope;
  }

  async #plugin({ name, driver }: PluginVolume, verb: string): Promise<PluginDriver> {
    try {
      return await PluginDriver.find(driver, this.#places);
    } catch (error) {
      if (!isBerthError(error, 'not-found')) throw error;
      throw notFound(`${verb} ${name}: error looking up volume plugin ${driver}: ${error.message}`, { cause: error });
    }
  }
}

/** Puts what was tried before the plugin's words. */
async function told<T>(what: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!isBerthError(error, 'unavailable')) throw error;
    throw unavailable(`${what}: ${error.message}`, { cause: error });
  }
}
