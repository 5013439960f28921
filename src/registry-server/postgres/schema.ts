/**
 * The registry's tables in PostgreSQL; running it again changes nothing. Names and digests sort by bytes (`COLLATE "C"`).
 * Unlike in SQLite a manifest's bytes are kept per repository: rows of different repositories then never wait for
 * each other. `bytes` of a repository is kept by triggers, under the row lock that every write to it takes first.
 */
export const postgresSchema = `
CREATE TABLE IF NOT EXISTS registry_repositories (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT COLLATE "C" NOT NULL UNIQUE,
  bytes BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS registry_blobs (digest TEXT COLLATE "C" PRIMARY KEY, size BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS registry_links (
  repository BIGINT NOT NULL REFERENCES registry_repositories (id),
  digest TEXT COLLATE "C" NOT NULL REFERENCES registry_blobs (digest),
  size BIGINT NOT NULL, touched_at BIGINT NOT NULL, PRIMARY KEY (repository, digest)
);
CREATE INDEX IF NOT EXISTS registry_links_digest ON registry_links (digest);
CREATE TABLE IF NOT EXISTS registry_manifests (
  repository BIGINT NOT NULL REFERENCES registry_repositories (id), digest TEXT COLLATE "C" NOT NULL,
  media_type TEXT NOT NULL, size BIGINT NOT NULL, artifact_type TEXT, annotations TEXT, subject TEXT COLLATE "C",
  pushed_at BIGINT NOT NULL, bytes BYTEA NOT NULL, PRIMARY KEY (repository, digest)
);
CREATE INDEX IF NOT EXISTS registry_manifests_subject ON registry_manifests (repository, subject, digest)
  WHERE subject IS NOT NULL;
CREATE TABLE IF NOT EXISTS registry_references (
  repository BIGINT NOT NULL, manifest TEXT COLLATE "C" NOT NULL, target TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (repository, manifest, target),
  FOREIGN KEY (repository, manifest) REFERENCES registry_manifests (repository, digest) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS registry_references_target ON registry_references (repository, target);
CREATE TABLE IF NOT EXISTS registry_tags (
  repository BIGINT NOT NULL, name TEXT COLLATE "C" NOT NULL, digest TEXT COLLATE "C" NOT NULL,
  checked_at BIGINT NOT NULL, PRIMARY KEY (repository, name),
  FOREIGN KEY (repository, digest) REFERENCES registry_manifests (repository, digest) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS registry_tags_digest ON registry_tags (repository, digest);
CREATE TABLE IF NOT EXISTS registry_uploads (
  id TEXT COLLATE "C" PRIMARY KEY, repository TEXT COLLATE "C" NOT NULL, started_at BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS registry_events (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS registry_deliveries (endpoint TEXT PRIMARY KEY, last BIGINT NOT NULL);
CREATE OR REPLACE FUNCTION registry_count_bytes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    UPDATE registry_repositories SET bytes = bytes + NEW.size WHERE id = NEW.repository;
  ELSE
    UPDATE registry_repositories SET bytes = bytes - OLD.size WHERE id = OLD.repository;
  END IF;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER registry_links_bytes AFTER INSERT OR DELETE ON registry_links
  FOR EACH ROW EXECUTE FUNCTION registry_count_bytes();
CREATE OR REPLACE TRIGGER registry_manifests_bytes AFTER INSERT OR DELETE ON registry_manifests
  FOR EACH ROW EXECUTE FUNCTION registry_count_bytes();
`;
