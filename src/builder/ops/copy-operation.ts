import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BerthError, digestOf, hexOf, isBerthError } from '#base';
import type { StepLayer } from '../cache/cache-records.ts';
import type { CopyOperation } from '../graph/operation.ts';
import { readAccounts } from '../tree/accounts.ts';
import type { Match, MatchView } from '../tree/match.ts';
import { resolveInRoot } from '../tree/root-path.ts';
import type { BuildSession } from './build-session.ts';
import { fetchFile } from './fetch-file.ts';
import { isArchive } from './local-archive.ts';
import { cacheKey } from './step-result.ts';
import { changeTree, readTree, type WorkingTree } from './working-tree.ts';

/** What a copy brings. */
export interface Selection {
  /** Kind and digest of the files, as the history names them: `file:HEX`, `dir:HEX` or `multi:HEX`. */
  readonly label: string;
}

/** One COPY or ADD while a build runs. */
export class FileCopy {
  readonly #session: BuildSession;
  readonly #operation: CopyOperation;
  /** Fetched files and here-documents, as matches of their own. */
  #extra: readonly Match[] = [];

  constructor(session: BuildSession, operation: CopyOperation) {
    this.#session = session;
    this.#operation = operation;
  }

  /** Downloads addresses and writes here-documents: needs nothing of the stage. */
  async prepare(signal: AbortSignal): Promise<void> {
    const extra: Match[] = [];
    for (const url of this.#operation.urls) {
      const directory = join(this.#session.filesDirectory, this.#session.nextName());
      const name = this.#operation.destination.endsWith('/') ? '' : basename(this.#operation.destination);
      const file = await fetchFile(url, directory, { checksum: this.#operation.checksum, name, signal });
      extra.push({ ...file, directory: false });
    }
    for (const { name, content } of this.#operation.heredocs) {
      const root = join(this.#session.filesDirectory, this.#session.nextName());
      const path = name.replaceAll('/', '_');
      await mkdir(root, { recursive: true });
      await writeFile(join(root, path), content, { mode: 0o644 });
      extra.push({ root, path, directory: false });
    }
    this.#extra = extra;
  }

  /** Finds and digests what the sources name. `originChain` is the file system of `--from`. */
  async select(originChain: string | undefined, signal: AbortSignal): Promise<Selection> {
    if (this.#operation.origin.kind !== 'node' || originChain === undefined) {
      return this.#withRoot(originChain, signal, (root) => this.#digest(root, signal));
    }
    const { records } = this.#session.services;
    const { sources, exclude, parents } = this.#operation;
    const extra = this.#operation.heredocs.map(({ name, content }) => [name, digestOf(content)]);
    const key = cacheKey({ select: 1, originChain, sources, exclude, parents, extra });
    const known = records.findContent(key);
    if (known !== undefined) return { label: known };
    const selection = await this.#withRoot(originChain, signal, (root) => this.#digest(root, signal));
    records.storeContent(key, originChain, selection.label);
    return selection;
  }

  /** Copies onto `below`. Throws what the sources or the destination make impossible, with Docker's texts. */
  run(below: string | undefined, originChain: string | undefined, signal: AbortSignal): Promise<StepLayer | undefined> {
    return this.#withRoot(originChain, signal, (root) =>
      changeTree(this.#session, below, async (tree) => {
        const matches = await this.#matches(root, signal);
        const archives = await this.#archives(matches);
        const plain = matches.filter((match) => !archives.includes(match));
        if (plain.length > 0) await this.#copy(plain, tree, signal);
        for (const archive of archives) await this.#unpack(archive, tree, signal);
      }),
    );
  }

  async #withRoot<T>(
    originChain: string | undefined,
    signal: AbortSignal,
    use: (root: string) => Promise<T>,
  ): Promise<T> {
    const { origin } = this.#operation;
    if (origin.kind === 'context') return use(await this.#session.contexts.directoryOf(origin.name, signal));
    return readTree(this.#session, originChain, use);
  }

  async #matches(root: string, signal: AbortSignal): Promise<Match[]> {
    const { sources, instruction, origin } = this.#operation;
    const context = origin.kind === 'context';
    try {
      const found = await this.#session.services.trees.run({ kind: 'list', root, patterns: sources, context }, signal);
      return [...found, ...this.#extra];
    } catch (error) {
      if (!isBerthError(error) || error.kind === 'canceled') throw error;
      throw new BerthError(error.kind, `${instruction} failed: ${error.message}`, { cause: error });
    }
  }

  #view(matches: readonly Match[]): MatchView {
    const { exclude, parents, origin } = this.#operation;
    return { matches, exclude, parents, keepOwner: origin.kind === 'node' };
  }

  async #digest(root: string, signal: AbortSignal): Promise<Selection> {
    const matches = await this.#matches(root, signal);
    const digest = await this.#session.services.trees.run({ kind: 'digest', view: this.#view(matches) }, signal);
    const [first] = matches;
    const kind = matches.length !== 1 ? 'multi' : first?.directory ? 'dir' : 'file';
    return { label: `${kind}:${hexOf(digest)}` };
  }

  async #archives(matches: readonly Match[]): Promise<Match[]> {
    const { unpackLocal, unpackFetched } = this.#operation;
    const archives: Match[] = [];
    for (const match of matches) {
      const local = !this.#extra.includes(match);
      const wanted = local ? unpackLocal : unpackFetched;
      if (wanted && !match.directory && (await isArchive(resolveInRoot(match.root, match.path)))) archives.push(match);
    }
    return archives;
  }

  async #copy(matches: readonly Match[], tree: WorkingTree, signal: AbortSignal): Promise<void> {
    const { destination, chmod } = this.#operation;
    const owner = this.#owner(tree);
    const target = { root: tree.root, destination, owner, chmod };
    await this.#session.services.trees.run({ kind: 'copy', view: this.#view(matches), target }, signal);
  }

  async #unpack(match: Match, tree: WorkingTree, signal: AbortSignal): Promise<void> {
    const { destination } = this.#operation;
    const owner = this.#owner(tree);
    await mkdir(resolveInRoot(tree.root, destination), { recursive: true });
    const archive = createReadStream(resolveInRoot(match.root, match.path));
    await this.#session.services.archiver.unpack(tree.root, destination, archive, {
      signal,
      ...(owner && { keepOwner: false, owner }),
    });
  }

  #owner(tree: WorkingTree): { uid: number; gid: number } | undefined {
    const { chown } = this.#operation;
    return chown === undefined ? undefined : readAccounts(tree.root).owner(chown);
  }
}
