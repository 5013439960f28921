import { invalid, isBerthError } from '#base';
import type { RuntimeIdMap, RuntimeMount } from '#oci';

/** Ids that a user namespace can map: all but the last, which means "none" (user_namespaces(7)). */
const allIds = 2 ** 32 - 1;

/**
 * The map of a mount in which files of `owner` appear as those of `user`, and what `user` makes becomes `owner`'s; files
 * of `user`, whom the owner must leave an id to, appear as `owner`'s, and all other ids are themselves. Undefined where
 * both are the same. In the words of config.md ("mounts"): `containerID` is on disk, `hostID` what is seen.
 */
export function exchangeIds(owner: number, user: number): RuntimeIdMap[] | undefined {
  if (owner === user) return undefined;
  const [low, high] = owner < user ? [owner, user] : [user, owner];
  const range = (containerID: number, hostID: number, size: number) => ({ containerID, hostID, size });
  return [
    range(0, 0, low),
    range(low, high, 1),
    range(low + 1, low + 1, high - low - 1),
    range(high, low, 1),
    range(high + 1, high + 1, allIds - high - 1),
  ].filter(({ size }) => size > 0);
}

/** What makes `owner`'s files `user`'s in a mount: nothing where they are already. */
export function mapOwner(
  owner: { readonly uid: number; readonly gid: number },
  user: { readonly uid: number; readonly gid: number },
): Pick<RuntimeMount, 'uidMappings' | 'gidMappings'> {
  const uids = exchangeIds(owner.uid, user.uid);
  const gids = exchangeIds(owner.gid, user.gid);
  if (uids === undefined && gids === undefined) return {};
  // A mount has both maps or none.
  const identity = [{ containerID: 0, hostID: 0, size: allIds }];
  return { uidMappings: uids ?? identity, gidMappings: gids ?? identity };
}

/** The error of a start whose mounts with mapped owners were refused by the kernel; any other error as it is. */
export function explainMapping(error: unknown, mounts: readonly RuntimeMount[]): unknown {
  const mapped = mounts.filter(({ uidMappings }) => uidMappings !== undefined);
  if (mapped.length === 0 || !isBerthError(error)) return error;
  const text = String(error.details.runtimeMessage ?? error.message);
  if (!/mount_setattr|idmap|open_tree/.test(text)) return error;
  const { source = '', destination } = mapped.find((mount) => text.includes(mount.source ?? '')) ?? mapped[0] ?? {};
  return invalid(
    `cannot map the owner of ${source} for ${destination}: its file system or this kernel has no mounts with mapped ids ` +
      `(bind-idmap needs Linux 5.12 and a file system that takes part); leave bind-idmap out (${text.trim()})`,
    { cause: error },
  );
}
