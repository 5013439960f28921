import { atMost, type Command } from '../command/index.ts';
import { readConfigFile, writeConfigFile } from '../host/index.ts';
import { hubKey, registryKey, runHelper } from '../progress/index.ts';

/** `berth logout`. */
export const command: Command = {
  usage: '[SERVER]',
  short: 'Log out from a registry',
  args: atMost(1),
  async run(invocation) {
    const { args, terminal, globals } = invocation;
    const key = registryKey((args[0] ?? '').replace(/^https?:\/\//, '').replace(/\/$/, ''));
    const config = readConfigFile(globals.configDir);
    const shown = key === hubKey ? hubKey : key;
    const helper = config.credHelpers?.[key] ?? config.credsStore;
    const { [key]: known, ...auths } = config.auths ?? {};
    terminal.stdout.write(`Removing login credentials for ${shown}\n`);
    if (helper) await runHelper(helper, 'erase', key);
    if (known === undefined) {
      if (!helper) terminal.stdout.write(`Not logged in to ${shown}\n`);
      return;
    }
    await writeConfigFile(globals.configDir, { ...config, auths });
  },
};
