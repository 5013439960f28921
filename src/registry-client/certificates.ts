import { existsSync, readdirSync, readFileSync } from 'node:fs';
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
 * authorities, `NAME.cert` with `NAME.key` is what the client shows. Read once for each host.
 */
export class CertificateStore {
  readonly #directories: readonly string[];
  readonly #known = new Map<string, TlsMaterial>();
  #system: readonly string[] | undefined;

  constructor(directories: readonly string[]) {
    this.#directories = directories;
  }

  /** Material for `host` (with its port, if any). Throws `invalid` for a certificate without its key. */
  materialFor(host: string): TlsMaterial {
    let material = this.#known.get(host);
    if (material === undefined) {
      material = this.#read(host);
      this.#known.set(host, material);
    }
    return material;
  }

  #read(host: string): TlsMaterial {
    const ca = [...this.#systemAuthorities()];
    let pair: { cert: string; key: string } | undefined;
    for (const parent of this.#directories) {
      const directory = join(parent, host);
      if (!existsSync(directory)) continue;
      for (const name of readdirSync(directory).sort()) {
        const path = join(directory, name);
        if (name.endsWith('.crt')) ca.push(readFileSync(path, 'utf8'));
        if (!name.endsWith('.cert')) continue;
        const keyPath = path.replace(/\.cert$/, '.key');
        if (!existsSync(keyPath)) throw invalid(`missing key ${keyPath} for client certificate ${path}`);
        pair = { cert: readFileSync(path, 'utf8'), key: readFileSync(keyPath, 'utf8') };
      }
    }
    return { ca, ...pair };
  }

  /** The machine's own list, where companies put theirs; Node's where there is none. */
  #systemAuthorities(): readonly string[] {
    this.#system ??= existsSync(systemBundle) ? [readFileSync(systemBundle, 'utf8')] : rootCertificates;
    return this.#system;
  }
}
