import { invalid, isBerthError, notFound } from '#base';
import type { Client } from '#client';
import { type ImageLock, lockableImages } from '../load/index.ts';
import type { Project } from '../model/index.ts';

/** Asks a registry what digest a name has now. Throws `not-found`, `unauthorized`, `unavailable`. */
export type RemoteDigest = (image: string) => Promise<string>;

/** What a lock file becomes. */
export interface LockResult {
  readonly lock: ImageLock;
  /** Images that are only on this engine: no registry has them, so no digest can hold them. */
  readonly unlocked: readonly string[];
}

/**
 * Makes the lock of a project: what is held stays held, what is new is asked for, what nobody uses goes. With `update`
 * these services' images are asked for again; all when the list is empty. Throws `invalid` for unknown services.
 */
export async function lockImages(
  client: Client,
  project: Project,
  options: { readonly held: ImageLock; readonly update?: readonly string[] | undefined; readonly remote: RemoteDigest },
): Promise<LockResult> {
  const { held, update, remote } = options;
  const all = { ...project.disabledServices, ...project.services };
  const renewed = new Set(
    (update ?? []).map((name) => {
      const service = all[name];
      if (service === undefined) throw invalid(`no such service: ${name}`);
      return service.image;
    }),
  );
  const stays = (image: string): boolean =>
    held[image] !== undefined && (update === undefined || (update.length > 0 && !renewed.has(image)));
  const unlocked: string[] = [];
  const entries = await Promise.all(
    lockableImages(project).map(async (image) => {
      const digest = stays(image) ? held[image] : await currentDigest(client, image, remote);
      if (digest === undefined) unlocked.push(image);
      return [image, digest] as const;
    }),
  );
  const lock = Object.fromEntries(
    entries.flatMap(([image, digest]) => (digest === undefined ? [] : [[image, digest]])),
  );
  return { lock, unlocked };
}

/** The registry's digest; where the registry cannot be asked, the one that the engine's image came with. */
async function currentDigest(client: Client, image: string, remote: RemoteDigest): Promise<string | undefined> {
  let cause: unknown;
  try {
    return await remote(image);
  } catch (error) {
    cause = error;
  }
  try {
    const { RepoDigests } = await client.images.inspect(image);
    return RepoDigests?.at(0)?.split('@')[1];
  } catch (error) {
    if (!isBerthError(error, 'not-found')) throw error;
    throw notFound(`cannot lock ${image}: neither its registry nor this engine has it`, { cause });
  }
}
