import { isIP } from 'node:net';
import { invalid } from '#base';

/** Checks `name:ip` entries (also `name=ip`) and returns them with a colon. Throws `invalid` with Docker's texts. */
export function decodeExtraHosts(entries: readonly string[]): string[] {
  return entries.map((entry) => {
    const at = /[:=]/.exec(entry)?.index ?? -1;
    const name = entry.slice(0, at);
    const address = entry.slice(at + 1);
    if (at < 1 || address === '') throw invalid(`bad format for add-host: ${JSON.stringify(entry)}`);
    const bare = address.replace(/^\[(.*)\]$/, '$1');
    if (bare !== 'host-gateway' && isIP(bare) === 0) {
      throw invalid(`invalid IP address in add-host: ${JSON.stringify(address)}`);
    }
    return `${name}:${bare}`;
  });
}
