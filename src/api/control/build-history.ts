import { notFound } from '#base';
import { answering, controlMethods, type Handler, streaming } from '#buildkit';

/** Answers for the history of builds: there is none, what a build says is told while it runs. */
export function buildHistoryHandlers(): Handler[] {
  return [
    streaming(controlMethods.listenHistory, async (stream, signal) => {
      for await (const { EarlyExit } of stream.received) {
        // Who wants to hear of builds to come is kept, and hears nothing.
        if (!EarlyExit) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        return;
      }
    }),
    answering(controlMethods.updateHistory, ({ Ref }) => {
      throw notFound(`no record of build ${Ref}: this engine keeps no history of builds`);
    }),
  ];
}
