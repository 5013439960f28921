import type { DeviceMapping, DeviceRequest, ThrottleDevice, Ulimit, WeightDevice } from '#api-types';
import { invalid, parseByteSize } from '#base';
import { splitCsv } from '../flags/index.ts';

/** `--device` words that name files; CDI names (`vendor.com/class=name`) are apart. Throws `invalid`. */
export function readDevices(words: readonly string[]): { devices: DeviceMapping[]; cdi: string[] } {
  const devices: DeviceMapping[] = [];
  const cdi: string[] = [];
  for (const word of words) {
    if (/^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*=[A-Za-z0-9][\w.:-]*$/.test(word)) {
      cdi.push(word);
      continue;
    }
    checkDevice(word);
    const parts = word.split(':');
    const [source = '', second] = parts;
    const modeOnly = parts.length === 2 && second !== undefined && isMode(second);
    devices.push({
      PathOnHost: source,
      PathInContainer: modeOnly || second === undefined ? source : second,
      CgroupPermissions: parts[2] ?? (modeOnly ? second : 'rwm'),
    });
  }
  return { devices, cdi };
}

function isMode(text: string): boolean {
  return text !== '' && /^[rwm]+$/.test(text) && new Set(text).size === text.length;
}

function checkDevice(word: string): void {
  const parts = word.split(':');
  const [source = '', second, mode] = parts;
  if (parts.length > 3 || source === '' || second === '') throw invalid(`bad format for path: ${word}`);
  if (mode !== undefined && !isMode(mode)) throw invalid(`bad mode specified: ${mode}`);
  const target = second === undefined || (parts.length === 2 && isMode(second)) ? source : second;
  if (!target.startsWith('/')) throw invalid(`${target} is not an absolute path`);
}

/** `--gpus`: `all`, a count, or `device=0,capabilities=...` pairs. */
export function readGpus(word: string): DeviceRequest {
  const request: DeviceRequest = { Driver: '', Count: 0, DeviceIDs: null, Capabilities: null, Options: {} };
  let counted = false;
  for (const field of splitCsv(word)) {
    const equals = field.indexOf('=');
    const key = equals === -1 ? 'count' : field.slice(0, equals);
    const value = equals === -1 ? field : field.slice(equals + 1);
    if (key === 'driver') request.Driver = value;
    else if (key === 'count') {
      if (value !== 'all' && !/^-?\d+$/.test(value)) {
        throw invalid(
          `invalid count (${value}): value must be either "all" or an integer: strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`,
        );
      }
      request.Count = value === 'all' ? -1 : Number(value);
      counted = true;
    } else if (key === 'device') request.DeviceIDs = splitCsv(value);
    else if (key === 'capabilities') request.Capabilities = [[...splitCsv(value), 'gpu']];
    else if (key === 'options') {
      request.Options = Object.fromEntries(
        splitCsv(value).map((pair) => [pair.split('=')[0] ?? '', pair.slice(pair.indexOf('=') + 1)]),
      );
    } else throw invalid(`unexpected key '${key}' in '${field}'`);
  }
  if (!counted && request.DeviceIDs === null) request.Count = 1;
  request.Capabilities ??= [['gpu']];
  return request;
}

function splitRate(word: string): [string, string] {
  const at = word.indexOf(':');
  if (at <= 0) throw invalid(`bad format: ${word}`);
  const path = word.slice(0, at);
  if (!path.startsWith('/dev/')) throw invalid(`bad format for device path: ${word}`);
  return [path, word.slice(at + 1)];
}

/** `--device-read-bps` and its like: `/dev/sda:1mb`. */
export function readByteRate(word: string): ThrottleDevice {
  const [Path, rate] = splitRate(word);
  try {
    return { Path, Rate: parseByteSize(rate) };
  } catch {
    throw invalid(
      `invalid rate for device: ${word}. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb`,
    );
  }
}

/** `--device-read-iops` and its like: `/dev/sda:1000`. */
export function readOperationRate(word: string): ThrottleDevice {
  const [Path, rate] = splitRate(word);
  if (!/^\d+$/.test(rate)) {
    throw invalid(
      `invalid rate for device: ${word}. The correct format is <device-path>:<number>. Number must be a positive integer`,
    );
  }
  return { Path, Rate: Number(rate) };
}

/** `--blkio-weight-device`: `/dev/sda:200`. */
export function readWeight(word: string): WeightDevice {
  const [Path, weight] = splitRate(word);
  const value = Number(weight);
  if (!/^\d+$/.test(weight) || (value > 0 && (value < 10 || value > 1000)))
    throw invalid(`invalid weight for device: ${word}`);
  return { Path, Weight: value };
}

const ulimitNames = new Set([
  'as',
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
]);

/** `--ulimit`: `nofile=1024:2048`; -1 is unlimited. */
export function readUlimit(word: string): Ulimit {
  const equals = word.indexOf('=');
  if (equals === -1) throw invalid(`invalid ulimit argument: ${word}`);
  const name = word.slice(0, equals);
  if (!ulimitNames.has(name)) throw invalid(`invalid ulimit type: ${name}`);
  const limits = word.slice(equals + 1).split(':');
  if (limits.length > 2)
    throw invalid(
      `too many limit value arguments - ${word.slice(equals + 1)}, can only have up to two, \`soft[:hard]\``,
    );
  const [soft = 0, hard = soft] = limits.map((text) => {
    if (!/^-?\d+$/.test(text)) throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    return Number(text);
  });
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    throw invalid(
      `ulimit soft limit must be less than or equal to hard limit: ${soft === -1 ? 'soft: -1 (unlimited)' : soft} > ${hard}`,
    );
  }
  return { Name: name, Soft: soft, Hard: hard };
}
