import { type Command, exactly } from '../command/index.ts';
import { readConfigFile, readContext, writeConfigFile } from '../host/index.ts';

/** `berth context use`. */
export const command: Command = {
  usage: 'CONTEXT',
  short: 'Set the current context',
  args: exactly(1),
  async run({ args, globals, terminal }) {
    const [name = ''] = args;
    if (name !== 'default') readContext(globals.configDir, name);
    const { currentContext: _before, ...config } = readConfigFile(globals.configDir);
    await writeConfigFile(globals.configDir, name === 'default' ? config : { ...config, currentContext: name });
    terminal.stdout.write(`${name}\n`);
    const variable = ['BERTH_HOST', 'DOCKER_HOST'].find((candidate) => terminal.env[candidate]);
    if (name !== 'default' && variable) {
      terminal.stderr.write(
        `Warning: ${variable} environment variable overrides the active context. To use ${JSON.stringify(name)}, either set the global --context flag, or unset ${variable} environment variable.\n`,
      );
    }
    terminal.stderr.write(`Current context is now ${JSON.stringify(name)}\n`);
  },
};
