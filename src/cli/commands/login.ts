import { createInterface } from 'node:readline/promises';
import type { AuthConfig } from '#api-types';
import { invalid } from '#base';
import { atMost, type Command, ExitError, type Terminal } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient, readConfigFile, writeConfigFile } from '../host/index.ts';
import { credentialsFor, registryKey, runHelper } from '../progress/index.ts';

const flags = flagTable(`
  -p, --password string   Password or personal access token
      --password-stdin    Read the password from stdin
  -u, --username string   User name
`);

async function readAll(terminal: Terminal): Promise<string> {
  let text = '';
  for await (const chunk of terminal.stdin) text += String(chunk);
  return text.replace(/\r?\n$/, '');
}

/** Asks on the terminal; a secret is not shown. */
async function ask(terminal: Terminal, question: string, secret: boolean): Promise<string> {
  if (terminal.stdin.isTTY !== true)
    throw new ExitError(1, 'Error: Cannot perform an interactive login from a non TTY device\n');
  terminal.stdout.write(question);
  const { PassThrough } = await import('node:stream');
  const silent = new PassThrough();
  silent.resume();
  const lines = createInterface({ input: terminal.stdin, output: secret ? silent : terminal.stdout, terminal: true });
  try {
    return (await lines.question('')).trim();
  } finally {
    lines.close();
    if (secret) terminal.stdout.write('\n');
  }
}

/** `berth login`. */
export const command: Command = {
  usage: '[OPTIONS] [SERVER]',
  short: 'Authenticate to a registry',
  flags,
  args: atMost(1),
  async run(invocation) {
    const { flags: given, args, terminal, globals } = invocation;
    let password = given.string('password');
    const fromStdin = given.bool('password-stdin');
    if (given.changed('password') && fromStdin) {
      throw invalid('conflicting options: cannot specify both --password and --password-stdin');
    }
    if (given.changed('password')) {
      terminal.stderr.write('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
    }
    if (fromStdin) {
      if (given.string('username') === '') throw invalid('the --password-stdin option requires --username to be set');
      password = await readAll(terminal);
    }
    const key = registryKey((args[0] ?? '').replace(/^https?:\/\//, '').replace(/\/$/, ''));
    const config = readConfigFile(globals.configDir);
    const stored = password === '' ? await credentialsFor(config, key) : undefined;
    const username = given.string('username') || (stored?.username ?? (await ask(terminal, 'Username: ', false)));
    if (username === '') throw invalid('username is required');
    if (password === '') password = stored?.password ?? (await ask(terminal, 'Password: ', true));
    if (password === '') throw invalid('password is required');
    const client = await connectClient(invocation);
    const auth: AuthConfig = { username, password, serveraddress: key };
    const answer = await client.system.login(auth);
    const helper = config.credHelpers?.[key] ?? config.credsStore;
    if (helper) {
      const secret = answer.IdentityToken || password;
      await runHelper(
        helper,
        'store',
        JSON.stringify({ ServerURL: key, Username: answer.IdentityToken ? '<token>' : username, Secret: secret }),
      );
    } else {
      const kept = answer.IdentityToken
        ? { auth: Buffer.from(`${username}:`).toString('base64'), identitytoken: answer.IdentityToken }
        : { auth: Buffer.from(`${username}:${password}`).toString('base64') };
      await writeConfigFile(globals.configDir, { ...config, auths: { ...config.auths, [key]: kept } });
      terminal.stderr.write(
        `\nWARNING! Your credentials are stored unencrypted in '${globals.configDir}/config.json'.\nA credential helper keeps them safe.\n\n`,
      );
    }
    if (answer.Status) terminal.stdout.write(`${answer.Status}\n`);
  },
};
