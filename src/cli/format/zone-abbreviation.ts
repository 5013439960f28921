import { readFileSync } from 'node:fs';

/** Kinds of local time of a zone, in seconds since the epoch, and the rule after the last of them (RFC 8536). */
interface Zone {
  /** When another kind of local time begins, ascending. */
  readonly begins: readonly number[];
  /** What is used from each of these on; the first stands for all time before. */
  readonly abbreviations: readonly string[];
  /** Abbreviations and offset of the rule that holds after the last of `begins`, a POSIX TZ text; empty for none. */
  readonly rule: string;
}

const header = 44;
const zones = '/usr/share/zoneinfo/';

/** The second, 64-bit part of a TZif file. Throws `RangeError` where bytes are missing. */
function parseZone(file: Buffer): Zone | undefined {
  if (file.toString('latin1', 0, 4) !== 'TZif' || file.readUInt8(4) < 0x32) return undefined;
  const counts = (at: number) => [0, 1, 2, 3, 4, 5].map((field) => file.readUInt32BE(at + 20 + 4 * field));
  const size = (at: number, width: number) => {
    const [ut = 0, standard = 0, leaps = 0, times = 0, types = 0, chars = 0] = counts(at);
    return times * (width + 1) + types * 6 + chars + leaps * (width + 4) + standard + ut;
  };
  const second = header + size(0, 4);
  const [, , , times = 0, types = 0, chars = 0] = counts(second);
  const begin = second + header;
  const kinds = begin + times * 8;
  const infos = kinds + times;
  const names = infos + types * 6;
  const abbreviation = (kind: number) => {
    const start = names + file.readUInt8(infos + kind * 6 + 5);
    return file.toString('latin1', start, file.indexOf(0, start));
  };
  if (names + chars > file.length) return undefined;
  const begins = Array.from({ length: times }, (_, index) => Number(file.readBigInt64BE(begin + index * 8)));
  const used = begins.map((_, index) => abbreviation(file.readUInt8(kinds + index)));
  const footer = file.toString('latin1', second + header + size(second, 8)).trim();
  return { begins, abbreviations: [abbreviation(0), ...used], rule: footer };
}

/** The abbreviation that a rule like `CET-1CEST,M3.5.0,M10.5.0/3` has for a time `east` minutes east of UTC. */
function byRule(rule: string, east: number): string | undefined {
  const name = '(?:<([^>]+)>|([A-Za-z]+))';
  const [, quoted, plain, sign, hours, minutes = '0', quotedSummer, plainSummer] =
    new RegExp(`^${name}([+-]?)(\\d+)(?::(\\d+))?(?::\\d+)?${name}?`).exec(rule) ?? [];
  const standard = quoted ?? plain;
  const west = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
  return east === -west ? standard : (quotedSummer ?? plainSummer ?? standard);
}

/** The zone file of this process (tzset(3)): of TZ where that is set, else of the machine. */
function zoneFile(): Buffer {
  const { TZ } = process.env;
  if (TZ === undefined) return readFileSync('/etc/localtime');
  const name = TZ.replace(/^:/, '');
  return readFileSync(name.startsWith('/') ? name : zones + name);
}

let zone: { readonly name: string | undefined; readonly read: Zone | undefined } | undefined;

/**
 * What clocks of this machine's zone are called at a time, like `CET`; `UTC` where the zone is not known. Read from the
 * zone's own file: the names that Intl has are others (`GMT+1`), and its first answer takes 20 ms.
 */
export function zoneAbbreviation(time: Date): string {
  if (zone === undefined || zone.name !== process.env.TZ) {
    zone = { name: process.env.TZ, read: undefined };
    try {
      zone = { name: process.env.TZ, read: parseZone(zoneFile()) };
    } catch {
      // Without such a file the zone is UTC, or has no name.
    }
  }
  if (zone.read === undefined) return 'UTC';
  const { begins, abbreviations, rule } = zone.read;
  const next = begins.findIndex((begin) => begin * 1000 > time.getTime());
  const last = abbreviations.at(-1) ?? 'UTC';
  if (next === -1) return byRule(rule, -time.getTimezoneOffset()) ?? last;
  return abbreviations[next] ?? last;
}
