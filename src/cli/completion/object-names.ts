import { Client } from '#client';
import type { GlobalFlags, Terminal } from '../command/index.ts';
import { listContexts, readConfigFile, resolveEndpoint } from '../host/index.ts';
import type { Place } from './place.ts';
import type { Suggestion } from './suggestion.ts';

/** Longest wait for the daemon, ms: who presses a key does not wait longer. */
const PATIENCE = 1500;

/** Which containers a command can do something with. */
export type ContainerState = 'running' | 'stopped' | 'paused' | 'any';

/**
 * Names of what there is at the daemon that the command line means. Nothing where it does not answer in time, or at all: a
 * completion never fails, and never starts a daemon.
 */
export class ObjectNames {
  readonly #globals: GlobalFlags;
  readonly #env: Terminal['env'];

  constructor(globals: GlobalFlags, env: Terminal['env']) {
    this.#globals = globals;
    this.#env = env;
  }

  /** What may stand in a place; services are not the daemon's to know. */
  async in(place: Place, state: ContainerState): Promise<Suggestion[]> {
    switch (place) {
      case 'container':
        return this.#ask((client) => containers(client, state));
      case 'image':
        return this.#ask(images);
      case 'network':
        return this.#ask(networks);
      case 'volume':
        return this.#ask(volumes);
      case 'object':
        return this.#ask(async (client) => {
          const lists = [containers(client, 'any'), images(client), networks(client), volumes(client)];
          return (await Promise.all(lists)).flat();
        });
      case 'context':
        return this.#contexts();
      default:
        return [];
    }
  }

  #contexts(): Suggestion[] {
    const known = listContexts(this.#globals.configDir);
    return [{ value: 'default' }, ...known.map(({ name, description }) => ({ value: name, text: description }))];
  }

  async #ask(list: (client: Client) => Promise<Suggestion[]>): Promise<Suggestion[]> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const endpoint = resolveEndpoint(this.#globals, this.#env);
      const client = new Client(endpoint, readConfigFile(this.#globals.configDir).HttpHeaders ?? {});
      const late = new Promise<Suggestion[]>((resolve) => {
        timer = setTimeout(() => resolve([]), PATIENCE);
      });
      return await Promise.race([list(client), late]);
    } catch {
      return [];
    } finally {
      clearTimeout(timer);
    }
  }
}

async function containers(client: Client, state: ContainerState): Promise<Suggestion[]> {
  const found = await client.containers.list({ all: state !== 'running' });
  const fits = (now: string) =>
    state === 'any' || (state === 'stopped' ? now === 'exited' || now === 'created' : now === state);
  return found
    .filter(({ State }) => fits(State))
    .map(({ Names, Image, Status }) => ({ value: (Names[0] ?? '').slice(1), text: `${Image}, ${Status}` }));
}

async function images(client: Client): Promise<Suggestion[]> {
  const found = await client.images.list();
  const tags = found.flatMap(({ RepoTags }) => RepoTags ?? []).filter((tag) => tag !== '<none>:<none>');
  // The tag that is meant where none is said can be left out.
  return tags.flatMap((tag) =>
    tag.endsWith(':latest') ? [{ value: tag.slice(0, -7) }, { value: tag }] : { value: tag },
  );
}

async function networks(client: Client): Promise<Suggestion[]> {
  return (await client.networks.list()).map(({ Name, Driver }) => ({ value: Name, text: Driver }));
}

async function volumes(client: Client): Promise<Suggestion[]> {
  return ((await client.volumes.list()).Volumes ?? []).map(({ Name, Driver }) => ({ value: Name, text: Driver }));
}
