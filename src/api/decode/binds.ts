import { posix } from 'node:path';
import { invalid } from '#base';
import type { MountSettings } from '#engine';

const propagations = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']);
const consistencies = new Set(['consistent', 'cached', 'delegated', 'default']);
const volumeName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Throws `invalid` with Docker's text unless `name` can be a local volume's. */
export function checkVolumeName(name: string): void {
  if (name.length >= 2 && volumeName.test(name)) return;
  throw invalid(
    `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only ` +
      '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
  );
}

/** Checks a path inside the container and tidies it. Throws `invalid` with Docker's text after `prefix`. */
export function cleanTarget(target: string, prefix: string): string {
  if (!target.startsWith('/')) throw invalid(`${prefix}invalid mount path: '${target}' mount path must be absolute`);
  const clean = posix.normalize(target).replace(/(.)\/$/, '$1');
  if (clean === '/') throw invalid(`${prefix}invalid specification: destination can't be '/'`);
  return clean;
}

/** The words of a bind's mode, checked: `ro|rw`, `z|Z`, propagation, `nocopy`, consistency; each kind once. */
function readMode(mode: string, kind: 'bind' | 'volume'): Pick<MountSettings, 'readonly' | 'propagation' | 'noCopy'> {
  const seen = new Set<string>();
  let readonly = false;
  let propagation: string | undefined;
  let noCopy = false;
  for (const word of mode.split(',')) {
    let sort = '';
    if (word === 'ro' || word === 'rw') sort = 'rw';
    else if (word === 'z' || word === 'Z') sort = 'label';
    else if (word === 'nocopy' && kind === 'volume') sort = 'copy';
    else if (propagations.has(word) && kind === 'bind') sort = 'propagation';
    else if (consistencies.has(word)) sort = 'consistency';
    if (sort === '' || seen.has(sort)) throw invalid(`invalid mode: ${mode}`);
    seen.add(sort);
    if (word === 'ro') readonly = true;
    if (sort === 'propagation') propagation = word;
    if (sort === 'copy') noCopy = true;
  }
  return { readonly, ...(propagation === undefined ? {} : { propagation }), ...(noCopy ? { noCopy } : {}) };
}

/**
 * Reads one of HostConfig.Binds: `target` (anonymous volume), `source:target` or `source:target:mode`. The result has
 * `mode`, which tells it from one that came from HostConfig.Mounts. Throws `invalid` with Docker's texts.
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
  const words = mode === '' ? { readonly: false } : readMode(mode, type);
  return {
    type,
    source: type === 'bind' ? posix.normalize(source).replace(/(.)\/$/, '$1') : source,
    target,
    createSource: true,
    mode,
    ...words,
    ...(type === 'volume' && volumeDriver !== '' ? { driver: { name: volumeDriver, options: {} } } : {}),
  };
}

/** Writes a mount that {@link parseBind} read back as the text it came from. */
export function formatBind(mount: MountSettings): string {
  return [mount.source, mount.target, mount.mode].filter((part) => part !== undefined && part !== '').join(':');
}

/** True for propagation modes as mount(8) names them. */
export function isPropagation(text: string): boolean {
  return propagations.has(text);
}
