import { loadProject } from '#compose';
import type { GlobalFlags, Terminal } from '../command/index.ts';
import { composeFlags, readComposeGlobals } from '../compose/compose-flags.ts';
import { loadOptions } from '../compose/open-project.ts';
import { FlagValues, parseFlags } from '../flags/index.ts';
import type { Suggestion } from './suggestion.ts';

/** Names of the services of the project that `composeWords`, the flags after `compose`, mean. Throws what is wrong with it. */
export async function serviceNames(
  composeWords: readonly string[],
  { globals, terminal }: { globals: GlobalFlags; terminal: Terminal },
): Promise<Suggestion[]> {
  const { values } = parseFlags(composeWords, { specs: composeFlags, interspersed: false });
  const options = loadOptions({
    ...{ globals, terminal, args: [] },
    flags: new FlagValues([]),
    compose: readComposeGlobals(values, terminal.env),
  });
  const { services } = await loadProject(options);
  return Object.values(services).map(({ name, image }) => ({ value: name, ...(image ? { text: image } : {}) }));
}
