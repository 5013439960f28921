import type { EngineEvent, EventType } from './events.ts';

type Filters = Readonly<Record<string, readonly string[]>>;

/** Docker's filter keys that name objects of one type: matched by id, id prefix or name. */
const objectKeys: readonly EventType[] = ['container', 'image', 'network', 'volume', 'daemon', 'plugin'];

/** True when `event` passes Docker's `filters`: values of one key are alternatives, every key must match. */
export function matchesEvent(event: EngineEvent, filters: Filters): boolean {
  return Object.entries(filters).every(([key, values]) => values.length === 0 || matchesKey(event, key, values));
}

function matchesKey(event: EngineEvent, key: string, values: readonly string[]): boolean {
  switch (key) {
    case 'type':
      return values.includes(event.type);
    case 'event':
      // `exec_start` stands for `exec_start: CMD`, `health_status` for all of its values.
      return values.some((value) => event.action === value || event.action.startsWith(`${value}:`));
    case 'label':
      return values.every((value) => hasLabel(event.attributes, value));
    case 'scope':
      return values.includes('local');
    default:
      // A key that nobody knows filters nothing, as in Docker.
      return !objectKeys.some((type) => type === key) || values.some((value) => names(event, key, value));
  }
}

function names(event: EngineEvent, type: string, value: string): boolean {
  // An event of a container also names the image it was made from.
  if (type === 'image' && event.type === 'container') return sameImage(event.attributes.image, value);
  if (event.type !== type) return false;
  if (event.id === value || event.attributes.name === value) return true;
  if (type === 'image') return sameImage(event.attributes.name, value) || sameImage(event.id, value);
  return type !== 'volume' && event.id.startsWith(value);
}

function sameImage(have: string | undefined, want: string): boolean {
  return have !== undefined && (have === want || withoutTag(have) === want);
}

function withoutTag(name: string): string {
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}

function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf('=');
  if (equals < 0) return wanted in labels;
  return labels[wanted.slice(0, equals)] === wanted.slice(equals + 1);
}
