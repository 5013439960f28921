import type { ActorFacts } from '#api-types';
import type { Actor } from '#base';

/** An actor as clients see it. */
export function encodeActor({ via, uid, pid, agent }: Actor): ActorFacts {
  return {
    Via: via,
    ...(uid === undefined ? {} : { Uid: uid }),
    ...(pid === undefined ? {} : { Pid: pid }),
    ...(agent === undefined ? {} : { Agent: agent }),
  };
}
