import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { invalid } from '#base';

/** TLS material of one host, as node:tls takes it. */
export interface TlsMaterial {
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

const systemBundle = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Finds the certificates for a host in Docker's layout: in a directory `HOST` or `HOST:PORT`, files `*.crt` are
 * authorities, `NAME.cert` with `NAME.key` is what the client shows. They are read again when a file has changed.
 */
export class CertificateStore {
  readonly #directories: readonly string[];
  readonly #known = new Map<string, { readonly state: string; readonly material: TlsMaterial }>();
  #system: readonly string[] | undefined;

  constructor(directories: readonly string[]) {
    this.#directories = directories;
  }

  /**
   * Material for `host` (with its port, if any): the same object as long as nothing has changed. Throws `invalid` for a
   * certificate without its key.
   */
  materialFor(host: string): TlsMaterial {
    const files = this.#directories.flatMap((parent) => filesOf(join(parent, host)));
    const state = files.map(({ path, state }) => `${path} ${state}`).join('\n');
    const known = this.#known.get(host);
    if (known?.state === state) return known.material;
    const material = this.#read(files.map(({ path }) => path));
    this.#known.set(host, { state, material });
    return material;
  }

  #read(paths: readonly string[]): TlsMaterial {
    const ca = [...this.#systemAuthorities()];
    let pair: { cert: string; key: string } | undefined;
    for (const path of paths) {
      if (path.endsWith('.crt')) ca.push(readFileSync(path, 'utf8'));
      if (!path.endsWith('.cert')) continue;
      const keyPath = path.replace(/\.cert$/, '.key');
      if (!paths.includes(keyPath)) throw invalid(`missing key ${keyPath} for client certificate ${path}`);
      pair = { cert: readFileSync(path, 'utf8'), key: readFileSync(keyPath, 'utf8') };
    }
    return { ca, ...pair };
  }

  /** The machine's own list, where companies put theirs; Node's where there is none. */
  #systemAuthorities(): readonly string[] {
    this.#system ??= existsSync(systemBundle) ? [readFileSync(systemBundle, 'utf8')] : rootCertificates;
    return this.#system;
  }
}

/** The files of a directory in order of their names, each with what tells whether it has changed; none without it. */
function filesOf(directory: string): { readonly path: string; readonly state: string }[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .sort()
    .flatMap((name) => {
      const path = join(directory, name);
      const found = statSync(path, { bigint: true, throwIfNoEntry: false });
      return found === undefined ? [] : [{ path, state: `${found.ino} ${found.size} ${found.ctimeNs}` }];
    });
}
