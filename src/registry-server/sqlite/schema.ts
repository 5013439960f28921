import type { Migration } from '#metadata';

/**
 * The registry's tables. `bytes` of a repository is kept by triggers, so that a quota is one look-up. A manifest's bytes
 * are kept once for all repositories; a blob's are in the blob store, and its row outlives the last link until garbage
 * collection has removed them.
 */
export const registryMigrations: readonly Migration[] = [
  {
    room: 'registry',
    version: 1,
    sql: `
CREATE TABLE registry_repositories (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE registry_blobs (digest TEXT PRIMARY KEY, size INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE registry_links (
  repository INTEGER NOT NULL REFERENCES registry_repositories (id), digest TEXT NOT NULL REFERENCES registry_blobs (digest),
  size INTEGER NOT NULL, touched_at INTEGER NOT NULL, PRIMARY KEY (repository, digest)
) WITHOUT ROWID;
CREATE INDEX registry_links_digest ON registry_links (digest);
CREATE INDEX registry_links_touched ON registry_links (touched_at);
CREATE TABLE registry_documents (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE registry_manifests (
  repository INTEGER NOT NULL REFERENCES registry_repositories (id), digest TEXT NOT NULL REFERENCES registry_documents (digest),
  media_type TEXT NOT NULL, size INTEGER NOT NULL, artifact_type TEXT, annotations TEXT, subject TEXT,
  pushed_at INTEGER NOT NULL, PRIMARY KEY (repository, digest)
) WITHOUT ROWID;
CREATE INDEX registry_manifests_digest ON registry_manifests (digest);
CREATE INDEX registry_manifests_subject ON registry_manifests (repository, subject, digest) WHERE subject IS NOT NULL;
CREATE TABLE registry_references (
  repository INTEGER NOT NULL, manifest TEXT NOT NULL, target TEXT NOT NULL,
  PRIMARY KEY (repository, manifest, target),
  FOREIGN KEY (repository, manifest) REFERENCES registry_manifests (repository, digest) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX registry_references_target ON registry_references (repository, target);
CREATE TABLE registry_tags (
  repository INTEGER NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, checked_at INTEGER NOT NULL,
  PRIMARY KEY (repository, name),
  FOREIGN KEY (repository, digest) REFERENCES registry_manifests (repository, digest) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX registry_tags_digest ON registry_tags (repository, digest);
CREATE TABLE registry_uploads (
  id TEXT PRIMARY KEY, repository TEXT NOT NULL, started_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE registry_events (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
CREATE TABLE registry_deliveries (endpoint TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER registry_link_added AFTER INSERT ON registry_links BEGIN
  UPDATE registry_repositories SET bytes = bytes + NEW.size WHERE id = NEW.repository;
END;
CREATE TRIGGER registry_link_removed AFTER DELETE ON registry_links BEGIN
  UPDATE registry_repositories SET bytes = bytes - OLD.size WHERE id = OLD.repository;
END;
CREATE TRIGGER registry_manifest_added AFTER INSERT ON registry_manifests BEGIN
  UPDATE registry_repositories SET bytes = bytes + NEW.size WHERE id = NEW.repository;
END;
CREATE TRIGGER registry_manifest_removed AFTER DELETE ON registry_manifests BEGIN
  UPDATE registry_repositories SET bytes = bytes - OLD.size WHERE id = OLD.repository;
  DELETE FROM registry_documents WHERE digest = OLD.digest
    AND NOT EXISTS (SELECT 1 FROM registry_manifests WHERE digest = OLD.digest);
END;
`,
  },
];
