import type { Readable } from 'node:stream';
import { canceled, timedOut } from '#base';
import { KeyedWaiters } from '../../session/keyed-waiters.ts';

/** How long a build waits for a context that its client uploads in another request, in ms, and the other way round. */
const patience = 5000;

const uploadPrefix = 'upload-request:';

/** A body that waits to be read, and what tells its request that it was. */
interface Upload {
  readonly body: Readable;
  readonly read: () => void;
}

/** Builds that their clients have given an id, to cancel them and to send them their context. */
export class RunningBuilds {
  readonly #builds = new Map<string, Set<AbortController>>();
  readonly #uploads = new Map<string, Upload>();
  readonly #wanted = new KeyedWaiters<Upload>();

  /** The build that a request brings the context of (`upload-request:ID`), by the id it gives for itself. */
  static uploadOf(buildId: string | undefined): string | undefined {
    return buildId?.startsWith(uploadPrefix) ? buildId.slice(uploadPrefix.length) : undefined;
  }

  /** Notes a build until `end`; `signal` ends when it is canceled. */
  start(id: string | undefined): { readonly signal: AbortSignal; end(): void } {
    const controller = new AbortController();
    if (id === undefined) return { signal: controller.signal, end: () => undefined };
    const builds = this.#builds.get(id) ?? new Set();
    this.#builds.set(id, builds.add(controller));
    const end = () => {
      builds.delete(controller);
      if (builds.size === 0 && this.#builds.get(id) === builds) this.#builds.delete(id);
    };
    return { signal: controller.signal, end };
  }

  /** Ends the builds of that id; does nothing where there are none. */
  cancel(id: string): void {
    for (const controller of this.#builds.get(id) ?? []) controller.abort(canceled('context canceled'));
  }

  /** Gives a body to the build of that id; resolves when it was read to its end or `signal` ends. Throws `timeout` when nobody wants it. */
  async upload(id: string, body: Readable, signal: AbortSignal): Promise<void> {
    const over = new Promise<void>((resolve) => {
      body.once('close', resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const taken = new KeyedWaiters<void>();
    const upload = { body, read: () => taken.give(id, undefined) };
    if (!this.#wanted.give(id, upload)) {
      this.#uploads.set(id, upload);
      try {
        await taken.wait(id, {
          signal,
          ms: patience,
          late: () => timedOut(`no build with the id ${id} wants a context`),
        });
      } finally {
        if (this.#uploads.get(id) === upload) this.#uploads.delete(id);
      }
    }
    await over;
  }

  /** The body that the client uploads for the build of that id. Throws `timeout` when none comes. */
  async uploaded(id: string, signal: AbortSignal): Promise<Readable> {
    const late = () => timedOut(`the context of build ${id} was not uploaded: context deadline exceeded`);
    const upload = this.#uploads.get(id) ?? (await this.#wanted.wait(id, { signal, ms: patience, late }));
    upload.read();
    // What the build leaves unread must not keep the other request waiting.
    signal.addEventListener('abort', () => upload.body.resume(), { once: true });
    return upload.body;
  }
}
