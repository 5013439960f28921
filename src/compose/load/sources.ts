import { type BerthError, invalid, isBerthError } from '#base';
import { type ComposeErrorFacts, composeError, type Position } from './compose-error.ts';
import type { Path } from './tree.ts';
import { YamlFile } from './yaml-file.ts';

/** The YAML files of one load, parsed once each, to say where a path of the merged result comes from. */
export class Sources {
  readonly #files: YamlFile[] = [];
  readonly #byName = new Map<string, YamlFile>();

  /** Parses `text` as the file `name`; the same name is parsed once. Throws `invalid` on a syntax error. */
  parse(name: string, text: string): YamlFile {
    const known = this.#byName.get(name);
    if (known) return known;
    const file = new YamlFile(name, text);
    this.#files.push(file);
    this.#byName.set(name, file);
    return file;
  }

  /**
   * As {@link parse}; the message of a fault names the file first, as docker compose's does for files that it did not
   * look into for the project's name.
   */
  parseNamed(name: string, text: string): YamlFile {
    try {
      return this.parse(name, text);
    } catch (error) {
      if (!isBerthError(error, 'invalid')) throw error;
      throw invalid(`failed to parse ${name}: ${error.message}`, { cause: error, details: error.details });
    }
  }

  /** The place that says what stands at `path`: the deepest match, of the last file when several go as deep. */
  locate(path: Path): Position | undefined {
    let best: { at: Position; depth: number } | undefined;
    for (const file of this.#files) {
      const found = file.locate(path);
      if (found && found.depth > 0 && (best === undefined || found.depth >= best.depth)) best = found;
    }
    return best?.at;
  }

  /** A {@link composeError} at `path`. */
  error(message: string, path: Path, facts: ComposeErrorFacts = {}): BerthError {
    return composeError(message, { at: this.locate(path), path, ...facts });
  }

  /** Runs `work` and gives an error that it throws the place of `path`, unless it has one. */
  locating<T>(path: Path, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isBerthError(error, 'invalid') || error.details.file !== undefined) throw error;
      throw this.error(error.message, path, { cause: error });
    }
  }
}
