import { posix } from 'node:path';
import { invalid } from '#base';
import type { MountSettings } from '#engine';
import { checkVolumeName } from '#volume';

const propagations = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']);
const consistencies = new Set(['consistent', 'cached', 'delegated', 'default']);

/** Checks a path inside the container and tidies it. Throws `invalid` with Docker's text after `prefix`. */
export function cleanTarget(target: string, prefix: string): string {
  if (!target.startsWith('/')) throw invalid(`${prefix}invalid mount path: '${target}' mount path must be absolute`);
  const clean = posix.normalize(target).replace(/(.)\/$/, '$1');
  if (clean === '/') throw invalid(`${prefix}invalid specification: destination can't be '/'`);
  return clean;
}

/** What sort of wish a word of a bind's mode is; undefined for no known word. */
function sortOf(word: string): 'access' | 'label' | 'copy' | 'propagation' | 'consistency' | undefined {
  if (word === 'ro' || word === 'rw') return 'access';
  if (word === 'z' || word === 'Z') return 'label';
  if (consistencies.has(word)) return 'consistency';
  if (word === 'nocopy') return 'copy';
  return propagations.has(word) ? 'propagation' : undefined;
}

/** The words of a bind's mode, each sort at most once and fit for the kind of mount. Throws `invalid` with Docker's texts. */
function readMode(
  spec: string,
  mode: string,
  kind: 'bind' | 'volume',
): Pick<MountSettings, 'readonly' | 'propagation' | 'noCopy'> {
  const words = new Map<string, string>();
  for (const word of mode.split(',')) {
    const sort = sortOf(word);
    if (sort === undefined || words.has(sort)) throw invalid(`invalid mode: ${mode}`);
    words.set(sort, word);
  }
  const propagation = words.get('propagation');
  const foreign = kind === 'bind' ? words.has('copy') && 'VolumeOptions' : propagation !== undefined && 'BindOptions';
  if (foreign) {
    const why = `invalid mount config for type "${kind}": field ${foreign} must not be specified`;
    throw invalid(`invalid volume specification: '${spec}': ${why}`);
  }
  return {
    readonly: words.get('access') === 'ro',
    ...(propagation === undefined ? {} : { propagation }),
    ...(words.has('copy') ? { noCopy: true } : {}),
  };
}

/**
 * Reads one of HostConfig.Binds: `target` (anonymous volume), `source:target` or `source:target:mode`. A volume without
 * a mode gets none, so that the engine chooses; {@link isBindString} still tells the result from one of
 * HostConfig.Mounts. Throws `invalid` with Docker's texts.
 */
export function parseBind(spec: string, volumeDriver: string): MountSettings {
  const parts = spec.split(':');
  const [first = '', second, mode = ''] = parts;
  const bad = `invalid volume specification: '${spec}'`;
  if (parts.length > 3 || parts.includes('')) throw invalid(bad);
  const source = second === undefined ? '' : first;
  const type = source.startsWith('/') ? 'bind' : 'volume';
  const target = cleanTarget(second ?? first, `${bad}: invalid mount config for type "${type}": `);
  if (type === 'volume' && source !== '') checkVolumeName(source);
  const words = mode === '' ? { readonly: false } : readMode(spec, mode, type);
  return {
    type,
    source: type === 'bind' ? posix.normalize(source).replace(/(.)\/$/, '$1') : source,
    target,
    createSource: true,
    ...(mode === '' && type === 'volume' ? {} : { mode }),
    ...words,
    ...(type === 'volume' && volumeDriver !== '' ? { driver: { name: volumeDriver, options: {} } } : {}),
  };
}

/** True for a mount that came from HostConfig.Binds: only those have a mode, or are volumes made without being asked. */
export function isBindString(mount: MountSettings): boolean {
  if (mount.fromImage === true) return false;
  return mount.mode !== undefined || (mount.type === 'volume' && mount.createSource);
}

/** Writes a mount that {@link parseBind} read back as the text it came from. */
export function formatBind(mount: MountSettings): string {
  return [mount.source, mount.target, mount.mode].filter((part) => part !== undefined && part !== '').join(':');
}

/** True for propagation modes as mount(8) names them. */
export function isPropagation(text: string): boolean {
  return propagations.has(text);
}
