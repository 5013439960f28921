import { unavailable } from '#base';
import { doomedLinkGroup } from '../links.ts';
import { deleteGroup, deleteLink, setGroup } from './link-messages.ts';
import { NetlinkError, type NetlinkRequest, NetlinkSocket } from './netlink.ts';

interface Wish {
  readonly name: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Deletions in this process's own namespace. The kernel waits until no CPU can see a link any more (20-80 ms), with its
 * one lock for links held, and it does so once per request however many links that takes away: so all that are
 * wanted while one request runs go together in the next, as a group.
 */
export class LinkDeletions {
  #wishes: Wish[] = [];
  #running = false;

  /** Resolves when the link is gone. Throws `unavailable`. */
  delete(name: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#wishes.push({ name, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#wishes.length > 0) {
      const wishes = this.#wishes;
      this.#wishes = [];
      try {
        using socket = new NetlinkSocket();
        await deleteTogether(
          socket,
          wishes.map(({ name }) => name),
        );
        for (const { resolve } of wishes) resolve();
      } catch (error) {
        for (const { name, reject } of wishes) reject(deletionFailure(name, error));
      }
    }
    this.#running = false;
  }
}

async function deleteTogether(socket: NetlinkSocket, names: readonly string[]): Promise<void> {
  const [first] = names;
  if (names.length === 1 && first !== undefined) {
    await unlessGone(socket, [deleteLink({ op: 'delete', name: first })]);
    return;
  }
  const indexes = new Set(names.map((name) => socket.indexOf(name)).filter((index) => index !== undefined));
  if (indexes.size === 0) return;
  await unlessGone(
    socket,
    [...indexes].map((index) => setGroup(index, doomedLinkGroup)),
  );
  await unlessGone(socket, [deleteGroup(doomedLinkGroup)]);
}

/** All requests are tried; links that are not there any more are what was wanted. */
async function unlessGone(socket: NetlinkSocket, requests: readonly NetlinkRequest[]): Promise<void> {
  try {
    await socket.change(requests);
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.errno !== 'ENODEV') throw error;
  }
}

function deletionFailure(name: string, error: unknown): unknown {
  if (!(error instanceof NetlinkError)) return error;
  return unavailable(`delete ${name}: ${error.errno}`, { details: { errno: error.errno } });
}
