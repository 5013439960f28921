/** What an argument of a command names. */
export type Place = 'container' | 'image' | 'network' | 'volume' | 'service' | 'context' | 'object' | 'file' | 'text';

/** Words of usage lines, by what they stand for; the rest is text that nobody can know. */
const PLACES: Readonly<Record<string, Place>> = {
  CONTAINER: 'container',
  IMAGE: 'image',
  SOURCE_IMAGE: 'image',
  REPOSITORY: 'image',
  NETWORK: 'network',
  VOLUME: 'volume',
  SERVICE: 'service',
  SERVICES: 'service',
  SOURCE: 'volume',
  CONTEXT: 'context',
  'NAME|ID': 'object',
  PATH: 'file',
  SRC_PATH: 'file',
  DEST_PATH: 'file',
  file: 'file',
};

/**
 * What the argument number `index` (from 0) may name, by the usage line of its command: `[OPTIONS] CONTAINER [COMMAND]`
 * says that the first is a container. `CONTAINER:SRC_PATH` is both. The last place counts on where it ends in `...`.
 */
export function placesAt(usage: string, index: number): readonly Place[] {
  // `PATH | URL` is one place.
  const words = usage
    .replaceAll(' | ', '|')
    .split(' ')
    .filter((word) => word !== '' && word !== '[OPTIONS]');
  const word = index < words.length ? words[index] : words.at(-1)?.includes('...') ? words.at(-1) : undefined;
  if (word === undefined) return [];
  const bare = word
    .replace(/^\[/, '')
    .replace(/\.\.\./, '')
    .replace(/\]$/, '');
  const whole = bare.startsWith('NAME[:TAG') ? 'image' : PLACES[bare];
  if (whole !== undefined) return [whole];
  const parts = bare.split(/[|:=[\]@]+/).map((part) => PLACES[part]);
  const known = parts.filter((part) => part !== undefined);
  return known.length > 0 ? [...new Set(known)] : ['text'];
}
