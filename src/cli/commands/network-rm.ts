import { isBerthError } from '#base';
import { eachCommand } from '../each-command.ts';
import { flagTable } from '../flags/index.ts';

/** `berth network rm`. */
export const command = eachCommand({
  usage: 'NETWORK [NETWORK...]',
  short: 'Remove one or more networks',
  flags: flagTable(`
  -f, --force   Do not mind networks that are gone
`),
  async work(client, name, { flags: given }) {
    try {
      await client.networks.remove(name);
    } catch (error) {
      if (given.bool('force') && isBerthError(error, 'not-found')) return '';
      throw error;
    }
    return undefined;
  },
});
