import { type Actor, currentActor, type Digest, isDigest, notFound } from '#base';
import type { Database } from '#metadata';

/** What a project was brought to once. */
export interface Revision {
  /** 1, 2, ...; never given twice in a project. */
  readonly number: number;
  /** ms since the epoch. */
  readonly at: number;
  readonly actor: Actor;
  /** Who did it, as the client told: `anna@laptop`. */
  readonly user: string;
  /** Service to image id. */
  readonly images: Readonly<Record<string, string>>;
  /** Service to why it was changed. */
  readonly changes: Readonly<Record<string, string>>;
  /** The project as the client wrote it; the engine does not read it. */
  readonly document: unknown;
}

/** What a client records. */
export type NewRevision = Pick<Revision, 'user' | 'images' | 'changes' | 'document'>;

/** The revisions of Compose projects, kept beside the containers so that all clients of an engine share them. */
export interface ProjectHistory {
  /** Records one in the name of who calls; returns its number. */
  add(project: string, revision: NewRevision): Promise<number>;
  /** Newest first; empty for a project that was never recorded. */
  list(project: string): Promise<Revision[]>;
  /** Throws `not-found`. */
  get(project: string, number: number): Promise<Revision>;
  /** Images of the newest revisions of every project: prune leaves them alone. */
  keptImages(): Promise<ReadonlySet<Digest>>;
}

/** Revisions that a project keeps. */
const longest = 50;
/** Revisions of a project whose images prune keeps. */
const withImages = 5;

interface Row {
  readonly number: number;
  readonly at: number;
  readonly actor: string;
  readonly user: string;
  readonly images: string;
  readonly changes: string;
  readonly document: string;
}

/** Keeps the history in the engine's database. Every call is one transaction. */
export function createProjectHistory(database: Database): ProjectHistory {
  return {
    async add(project, { user, images, changes, document }) {
      return database.transaction(() => {
        const newest = database.get<{ number: number | null }>(
          'SELECT max(number) AS number FROM engine_revisions WHERE project = ?',
          project,
        );
        const number = (newest?.number ?? 0) + 1;
        const [actor = '', ...texts] = [currentActor(), images, changes, document].map((value) =>
          JSON.stringify(value),
        );
        const values = [project, number, Date.now(), actor, user, ...texts];
        database.run('INSERT INTO engine_revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?)', ...values);
        database.run('DELETE FROM engine_revisions WHERE project = ? AND number <= ?', project, number - longest);
        return number;
      });
    },
    async list(project) {
      const sql = 'SELECT * FROM engine_revisions WHERE project = ? ORDER BY number DESC';
      return database.all<Row>(sql, project).map(revisionOf);
    },
    async get(project, number) {
      const sql = 'SELECT * FROM engine_revisions WHERE project = ? AND number = ?';
      const row = database.get<Row>(sql, project, number);
      if (row === undefined) throw notFound(`project ${project} has no revision ${number}: see berth compose history`);
      return revisionOf(row);
    },
    async keptImages() {
      const sql = `SELECT images FROM engine_revisions AS kept WHERE number > ${-withImages} +
        (SELECT max(number) FROM engine_revisions AS other WHERE other.project = kept.project)`;
      const ids = database.all<{ images: string }>(sql).flatMap((row) => Object.values(JSON.parse(row.images)));
      return new Set(ids.map(String).filter(isDigest));
    },
  };
}

function revisionOf({ number, at, actor, user, images, changes, document }: Row): Revision {
  return {
    number,
    at,
    user,
    actor: JSON.parse(actor),
    images: JSON.parse(images),
    changes: JSON.parse(changes),
    document: JSON.parse(document),
  };
}
