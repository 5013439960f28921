import { invalid } from '#base';

/** A mount in short form, such as `./data:/data:ro`, taken apart. */
export interface VolumeSpec {
  type: 'bind' | 'volume';
  source?: string;
  target: string;
  readOnly: boolean;
  nocopy: boolean;
  propagation?: string;
  selinux?: string;
  /** One or two characters, which docker compose takes for a target without looking any closer. */
  isBare?: boolean;
}

const propagations = new Set(['rprivate', 'private', 'rshared', 'shared', 'rslave', 'slave']);

function isHostPath(source: string): boolean {
  return /^[./~]/.test(source) || source.startsWith('\\\\') || /^\p{L}:/u.test(source);
}

/** Splits at colons, but not after a single letter (a Windows drive) and not inside `${...}`. */
function sections(spec: string): string[] {
  const parts: string[] = [];
  let part = '';
  let depth = 0;
  for (let i = 0; i < spec.length; i++) {
    const char = spec[i] ?? '';
    if (char === '$' && spec[i + 1] === '{') depth++;
    else if (char === '}' && depth > 0) depth--;
    if (char === ':' && depth === 0 && !/^\p{L}$/u.test(part)) {
      parts.push(part);
      part = '';
    } else part += char;
  }
  parts.push(part);
  return parts;
}

function applyOptions(volume: VolumeSpec, options: string): void {
  for (const option of options.split(',')) {
    if (option === 'ro') volume.readOnly = true;
    else if (option === 'rw') volume.readOnly = false;
    else if (option === 'nocopy') volume.nocopy = true;
    else if (option === 'z' || option === 'Z') volume.selinux = option;
    else if (propagations.has(option)) volume.propagation = option;
  }
}

/**
 * Reads a service's volume in short form: `[SOURCE:]TARGET[:OPTIONS]`. Unknown options are ignored, as docker compose
 * ignores them. Throws `invalid` for an empty spec or section and for too many colons.
 */
export function parseVolumeSpec(spec: string): VolumeSpec {
  if (spec === '') throw invalid('invalid empty volume spec');
  const volume: VolumeSpec = { type: 'volume', target: spec, readOnly: false, nocopy: false };
  if (Buffer.byteLength(spec) <= 2) return { ...volume, isBare: true };
  const parts = sections(spec);
  if (parts.includes('')) throw invalid(`invalid spec: ${spec}: empty section between colons`);
  if (parts.length > 3) throw invalid(`invalid spec: ${spec}: too many colons`);
  const [first = '', second, options] = parts;
  if (second !== undefined) {
    volume.source = first;
    volume.target = second;
  } else volume.target = first;
  if (options !== undefined) applyOptions(volume, options);
  if (volume.source !== undefined && isHostPath(volume.source)) volume.type = 'bind';
  return volume;
}
