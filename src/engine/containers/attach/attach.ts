import { conflict } from '#base';
import type { Attachment, LogLine, OutputChunk } from '#runtime';
import type { EventJournal } from '../../events/events.ts';
import { type Session, withDetach } from '../../events/session.ts';
import type { AttachOptions } from '../containers.ts';
import { openLog, type ReadLog } from '../inspect/logs.ts';
import type { LiveContainer } from '../live-container.ts';
import { LateAttachment } from './late-attachment.ts';

/** What attaching needs. */
export interface AttachDependencies {
  readonly events: EventJournal;
  readonly readLog: ReadLog;
}

/**
 * Attaches to a container that runs, or to the next run of one that does not. Throws `conflict` for a paused one (its
 * output cannot come) and while it restarts.
 */
export async function attachContainer(
  deps: AttachDependencies,
  container: LiveContainer,
  options: AttachOptions,
): Promise<Session> {
  const { status } = container.state;
  if (status === 'paused') throw conflict(`container ${container.id} is paused, unpause the container before attach`);
  if (status === 'restarting') {
    throw conflict(`container ${container.id} is restarting, wait until the container is running`);
  }
  const live = options.stream ? await liveAttachment(container, options) : nothing;
  deps.events.publish('container', 'attach', container.id, container.eventAttributes);
  const onDetach = () => deps.events.publish('container', 'detach', container.id, container.eventAttributes);
  if (!options.logs || container.settings.paths.log === '') return withDetach(live, onDetach);
  const query = { stdout: options.stdout, stderr: options.stderr, follow: false };
  const past = openLog(deps.readLog, container, query);
  return { ...withDetach(live, onDetach), output: concatenate(past, live.output) };
}

async function liveAttachment(container: LiveContainer, options: AttachOptions): Promise<Attachment> {
  const { task } = container;
  if (task === undefined) return container.attaches.add(options);
  const real = await task.attach();
  const attachment = new LateAttachment(options, () => {});
  attachment.connect(real);
  return attachment;
}

async function* concatenate(
  past: AsyncIterable<readonly LogLine[]>,
  live: AsyncIterable<OutputChunk>,
): AsyncGenerator<OutputChunk, void, undefined> {
  const newline = Buffer.from('\n');
  for await (const batch of past) {
    for (const { stream, text, partial } of batch) {
      yield { stream, data: partial ? text : Buffer.concat([text, newline]) };
    }
  }
  yield* live;
}

async function* empty(): AsyncGenerator<OutputChunk, void, undefined> {}

/** For `stream=0`: only the log is wanted. */
const nothing: Attachment = {
  output: empty(),
  write: async () => {},
  endInput: () => {},
  close: () => {},
};
