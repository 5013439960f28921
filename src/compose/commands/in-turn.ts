import { canceled, isBerthError, messageOf } from '#base';
import type { ComposeContext } from './context.ts';
import { currentUser } from './current-user.ts';

/** Longest, in ms, that a command which ends the others' work waits for them to stop. */
const patience = 30_000;

/** What a command is to those that change the same project at the same time. */
export interface TurnOptions {
  /** Word for others to read, such as `up`. */
  readonly command: string;
  /** It makes the work of those before it pointless: they are asked to stop. */
  readonly ends: boolean;
}

/**
 * Does `work` after all who came before have changed the project. On an engine without turns it begins at once. `work`
 * gets a context whose signal also fires when somebody makes it pointless; then this throws `canceled` with who it was.
 */
export async function inTurn<C extends ComposeContext, T>(
  context: C,
  options: TurnOptions,
  work: (context: C) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const ended = new AbortController();
  let endedBy: string | undefined;
  try {
    await granted(context, {
      ...options,
      over,
      asked: (by) => {
        endedBy = by;
        ended.abort();
      },
    });
    const signal = context.signal === undefined ? ended.signal : AbortSignal.any([context.signal, ended.signal]);
    return await work({ ...context, signal });
  } catch (error) {
    if (endedBy === undefined || !isBerthError(error, 'canceled')) throw error;
    throw canceled(`${options.command} of project ${context.projectName} was ended by ${endedBy}`, { cause: error });
  } finally {
    over.abort();
  }
}

type Asking = TurnOptions & { readonly over: AbortController; readonly asked: (by: string) => void };

/** Resolves when it is this client's turn, or when nobody can say so. */
function granted(context: ComposeContext, { command, ends, over, asked }: Asking): Promise<void> {
  const { client, projectName, reporter } = context;
  const by = `${command} by ${currentUser()} (process ${process.pid})`;
  const ownEnd = context.signal === undefined ? over.signal : AbortSignal.any([over.signal, context.signal]);
  return new Promise((resolve, reject) => {
    const begin = (): void => {
      clearTimeout(late);
      resolve();
    };
    const late = ends ? setTimeout(begin, patience) : undefined;
    const listen = async (): Promise<void> => {
      for await (const message of client.projects.turn(projectName, { by, ends, signal: over.signal })) {
        if ('Granted' in message) begin();
        else if ('WaitsFor' in message) reporter.warn(`Waiting for ${message.WaitsFor}`);
        else {
          asked(message.EndsFor);
          reject(canceled('asked to end'));
        }
      }
    };
    ownEnd.addEventListener('abort', () => reject(canceled('aborted')), { once: true });
    listen().then(begin, (error: unknown) => {
      clearTimeout(late);
      // Other engines do not know the call; one that is going away shows in the calls that follow.
      if (isBerthError(error, 'canceled')) reject(canceled(messageOf(error)));
      else begin();
    });
  });
}
