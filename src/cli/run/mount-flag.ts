import { resolve } from 'node:path';
import type { MountRequest, MountType } from '#api-types';
import { invalid, messageOf, parseByteSize } from '#base';
import { readBool, splitCsv } from '../flags/index.ts';

const bareKeys = new Set(['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive', 'bind-create-src', 'bind-idmap']);
type Draft = {
  -readonly [Key in keyof MountRequest]: MountRequest[Key];
};

function readBoolean(key: string, value: string): boolean {
  try {
    return readBool(value);
  } catch {
    throw invalid(`invalid value for ${key}: ${value}`);
  }
}

function addPair(map: Record<string, string> | undefined, word: string): Record<string, string> {
  const equals = word.indexOf('=');
  return { ...map, [equals === -1 ? word : word.slice(0, equals)]: equals === -1 ? '' : word.slice(equals + 1) };
}

/** `match-user`, which a key without a value means too, `match-user:USER`, or `userns` (Docker's draft). */
function readIdMapping(value: string): { Source: string; User?: string } {
  const [, source, user] = /^(match-user|userns|true)(?::(.+))?$/.exec(value) ?? [];
  if (source === undefined || (user !== undefined && source !== 'match-user')) {
    throw invalid(`invalid value for bind-idmap: ${value} (must be "match-user", "match-user:USER" or "userns")`);
  }
  return { Source: source === 'true' ? 'match-user' : source, ...(user === undefined ? {} : { User: user }) };
}

function setField(mount: Draft, key: string, value: string): void {
  const bind = () => (mount.BindOptions ??= {});
  const volume = () => (mount.VolumeOptions ??= {});
  const driver = () => (volume().DriverConfig ??= {});
  const tmpfs = () => (mount.TmpfsOptions ??= {});
  switch (key) {
    case 'type':
      mount.Type = value.toLowerCase() as MountType;
      return;
    case 'source':
    case 'src':
      mount.Source = value;
      return;
    case 'target':
    case 'dst':
    case 'destination':
      mount.Target = value;
      return;
    case 'readonly':
    case 'ro':
      mount.ReadOnly = readBoolean(key, value);
      return;
    case 'consistency':
      mount.Consistency = value.toLowerCase();
      return;
    case 'bind-propagation':
      bind().Propagation = value.toLowerCase();
      return;
    case 'bind-nonrecursive':
      bind().NonRecursive = readBoolean(key, value);
      return;
    case 'bind-create-src':
      bind().CreateMountpoint = readBoolean(key, value);
      return;
    case 'bind-recursive':
      if (value === 'enabled') return;
      if (value === 'disabled') bind().NonRecursive = true;
      else if (value === 'writable') bind().ReadOnlyNonRecursive = true;
      else if (value === 'readonly') bind().ReadOnlyForceRecursive = true;
      else
        throw invalid(
          `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
        );
      return;
    case 'bind-idmap':
      bind().IDMapping = readIdMapping(value);
      return;
    case 'volume-subpath':
      volume().Subpath = value;
      return;
    case 'volume-nocopy':
      volume().NoCopy = readBoolean(key, value);
      return;
    case 'volume-label':
      volume().Labels = addPair(volume().Labels, value);
      return;
    case 'volume-driver':
      driver().Name = value;
      return;
    case 'volume-opt':
      driver().Options = addPair(driver().Options, value);
      return;
    case 'image-subpath':
      mount.ImageOptions = { Subpath: value };
      return;
    case 'tmpfs-size':
      try {
        tmpfs().SizeBytes = parseByteSize(value);
      } catch {
        throw invalid(`invalid value for ${key}: ${value}`);
      }
      return;
    case 'tmpfs-mode':
      if (!/^[0-7]+$/.test(value)) throw invalid(`invalid value for ${key}: ${value}`);
      tmpfs().Mode = Number.parseInt(value, 8);
      return;
    default:
      throw invalid(`unexpected key '${key}' in '${key}=${value}'`);
  }
}

function checkMount(mount: Draft): void {
  const { Type: type } = mount;
  if (type === undefined || String(type) === '') throw invalid('type is required');
  if (!mount.Target) throw invalid('target is required');
  const mixed = (option: string) => invalid(`cannot mix '${option}' options with mount type '${type}'`);
  if (mount.BindOptions && type !== 'bind') throw mixed('bind-*');
  if (mount.VolumeOptions && type !== 'volume') throw mixed('volume-*');
  if (mount.ImageOptions && type !== 'image') throw mixed('image-*');
  if (mount.TmpfsOptions && type !== 'tmpfs') throw mixed('tmpfs-*');
  if (mount.BindOptions?.ReadOnlyNonRecursive && !mount.ReadOnly) {
    throw invalid("option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction");
  }
  if (mount.BindOptions?.ReadOnlyForceRecursive) {
    if (!mount.ReadOnly)
      throw invalid("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction");
    if (mount.BindOptions.Propagation !== 'rprivate') {
      throw invalid(
        "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
      );
    }
  }
}

/** Reads one `--mount` word: `type=bind,source=/a,target=/b,readonly`. Throws `invalid` with Docker's texts. */
export function readMountFlag(word: string, cwd: string): MountRequest {
  let fields: string[];
  try {
    fields = splitCsv(word);
  } catch (error) {
    throw invalid(messageOf(error));
  }
  const mount: Draft = { Type: 'volume', Target: '' };
  for (const field of fields) {
    const equals = field.indexOf('=');
    const key = (equals === -1 ? field : field.slice(0, equals)).toLowerCase();
    if (equals === -1 && !bareKeys.has(key)) throw invalid(`invalid field '${field}' must be a key=value pair`);
    setField(mount, key, equals === -1 ? 'true' : field.slice(equals + 1));
  }
  checkMount(mount);
  if (mount.Type === 'bind' && mount.Source?.startsWith('.')) {
    mount.Source = resolve(cwd, mount.Source);
  }
  return mount;
}
