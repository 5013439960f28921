import { conflict, invalid, KeyedLock, notFound } from '#base';
import type { Database } from '#metadata';
import type { Journal } from '../events/journal.ts';
import type { ContainerState, ContainerStatus } from './container.ts';
import { type ContainerSettings, LiveContainer } from './live-container.ts';

/**
 * All containers: in memory for reading, which never waits, and in SQLite for the next daemon. Every write is durable
 * when it returns and takes the events published before it along in one transaction.
 */
export class ContainerRegistry {
  readonly #database: Database;
  readonly #journal: Journal;
  readonly #byId = new Map<string, LiveContainer>();
  /** Name to id, names of creations under way included. */
  readonly #names = new Map<string, string>();
  readonly #lock = new KeyedLock();

  constructor(database: Database, journal: Journal) {
    this.#database = database;
    this.#journal = journal;
    for (const row of database.all<{ settings: string; state: string }>(
      'SELECT settings, state FROM engine_containers',
    )) {
      const container = new LiveContainer(JSON.parse(row.settings), JSON.parse(row.state));
      this.#byId.set(container.id, container);
      this.#names.set(container.name, container.id);
    }
  }

  /** Runs `task` alone on this container. Never call it from inside itself, nor wait inside for an exit. */
  exclusively<T>(container: LiveContainer, task: () => Promise<T>): Promise<T> {
    return this.#lock.run(container.id, task);
  }

  all(): LiveContainer[] {
    return [...this.#byId.values()];
  }

  /** By full id, name, or unambiguous id prefix. Throws `not-found`, `invalid` with Docker's texts. */
  find(name: string): LiveContainer {
    const found = this.tryFind(name);
    if (found === undefined) throw notFound(`No such container: ${name}`);
    return found;
  }

  /** As {@link ContainerRegistry.find}; undefined when there is none. Throws `invalid` for an ambiguous prefix. */
  tryFind(name: string): LiveContainer | undefined {
    const exact = this.#byId.get(name) ?? this.#byId.get(this.#names.get(name.replace(/^\//, '')) ?? '');
    if (exact !== undefined || !/^[0-9a-f]+$/.test(name)) return exact;
    const matching = [...this.#byId.keys()].filter((id) => id.startsWith(name));
    if (matching.length > 1) throw invalid(`multiple IDs found with provided prefix: ${name}`);
    return this.#byId.get(matching[0] ?? '');
  }

  /** True when a container has, or is about to get, this name. */
  isTaken(name: string): boolean {
    return this.#names.has(name);
  }

  /** Takes `name` for `id` before the container exists. Throws `conflict` with Docker's text. */
  reserve(name: string, id: string): void {
    const holder = this.#names.get(name);
    if (holder !== undefined) {
      throw conflict(
        `Conflict. The container name "/${name}" is already in use by container "${holder}". ` +
          'You have to remove (or rename) that container to be able to reuse that name.',
      );
    }
    this.#names.set(name, id);
  }

  /** Gives a reserved name back. */
  release(name: string): void {
    this.#names.delete(name);
  }

  /** Records a new container whose name is reserved; from here on it exists. */
  insert(container: LiveContainer): void {
    const { id, name, settings, state } = container;
    this.#write(
      'INSERT INTO engine_containers VALUES (?, ?, ?, ?)',
      id,
      name,
      JSON.stringify(settings),
      JSON.stringify(state),
    );
    this.#byId.set(id, container);
  }

  /** Replaces parts of the state. */
  setState(container: LiveContainer, changes: Partial<ContainerState>): void {
    const state = { ...container.state, ...changes };
    this.#write('UPDATE engine_containers SET state = ? WHERE id = ?', JSON.stringify(state), container.id);
    container.state = state;
  }

  /**
   * Replaces parts of the state by what has happened already: in memory also where it cannot be recorded (a full disk).
   * Then it throws, and the next daemon finds the same out by itself.
   */
  recordFact(container: LiveContainer, changes: Partial<ContainerState>): void {
    const state = { ...container.state, ...changes };
    try {
      this.setState(container, changes);
    } finally {
      container.state = state;
    }
  }

  /** Replaces parts of the settings. A new name must have been reserved; the old one is given back. */
  setSettings(container: LiveContainer, changes: Partial<ContainerSettings>): void {
    const settings = { ...container.settings, ...changes };
    this.#write(
      'UPDATE engine_containers SET settings = ?, name = ? WHERE id = ?',
      JSON.stringify(settings),
      settings.name,
      container.id,
    );
    if (settings.name !== container.name) this.#names.delete(container.name);
    container.settings = settings;
  }

  /**
   * Writes that two containers have each other's name, the first with `changes`. Part of a larger transaction: what is
   * in memory follows when the returned function is called, after it was committed.
   */
  exchangeNames(first: LiveContainer, second: LiveContainer, changes: Partial<ContainerSettings>): () => void {
    const settings = { ...first.settings, ...changes, name: second.name };
    const others = { ...second.settings, name: first.name };
    this.writeSettings([
      [first, settings],
      [second, others],
    ]);
    return () => {
      first.settings = settings;
      second.settings = others;
      this.#names.set(first.name, first.id).set(second.name, second.id);
    };
  }

  /** Writes settings as given, whose names among them may be exchanged; memory stays as it is. */
  writeSettings(pairs: readonly (readonly [LiveContainer, ContainerSettings])[]): void {
    this.#database.transaction(() => {
      // Names are unique at any moment, so each goes out of the way first.
      for (const [{ id }] of pairs) this.#write('UPDATE engine_containers SET name = ? WHERE id = ?', `/${id}`, id);
      for (const [{ id }, settings] of pairs) {
        const text = JSON.stringify(settings);
        this.#write('UPDATE engine_containers SET settings = ?, name = ? WHERE id = ?', text, settings.name, id);
      }
    });
  }

  /** Forgets it; its name is free. */
  delete(container: LiveContainer): void {
    this.#write('DELETE FROM engine_containers WHERE id = ?', container.id);
    this.#byId.delete(container.id);
    this.#names.delete(container.name);
  }

  counts(): Record<ContainerStatus, number> {
    const counts = { created: 0, running: 0, paused: 0, restarting: 0, removing: 0, exited: 0, dead: 0 };
    for (const container of this.#byId.values()) counts[container.state.status]++;
    return counts;
  }

  #write(sql: string, ...values: string[]): void {
    this.#database.transaction(() => {
      this.#database.run(sql, ...values);
      this.#journal.flush();
    });
  }
}
