import type { EventMessage } from '#api-types';
import type { EngineEvent } from '#engine';

/** An event as one line of JSON; `timeNano` keeps all its digits, which a number of JavaScript cannot. */
export function encodeEvent(event: EngineEvent): string {
  const legacy = event.type === 'container' || event.type === 'image';
  const from = event.type === 'container' ? event.attributes.image : undefined;
  const message: Omit<EventMessage, 'timeNano'> = {
    ...(legacy ? { status: event.action, id: event.id } : {}),
    ...(from === undefined ? {} : { from }),
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.id, Attributes: { ...event.attributes } },
    scope: 'local',
    time: Number(event.timeNano / 1_000_000_000n),
  };
  return `${JSON.stringify(message).slice(0, -1)},"timeNano":${event.timeNano}}\n`;
}
