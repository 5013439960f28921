import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoOf, invalid } from '#base';
import { type Command, ExitError, noArgs } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { renderProgress } from '../progress/index.ts';

const flags = flagTable(`
  -i, --input string      Read from a tar archive file, instead of STDIN
      --platform string   Load only this platform, where an image has several
  -q, --quiet             Do not show progress
`);

/** `berth load`. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'Load an image from a tar archive or STDIN',
  flags,
  args: noArgs,
  async run(invocation) {
    const { flags: given, terminal } = invocation;
    const path = given.string('input');
    if (path === '' && terminal.stdin.isTTY) {
      throw new ExitError(1, 'requested load from stdin, but stdin is empty\n');
    }
    if (path !== '') {
      const file = await open(path).catch((error: unknown) => {
        throw invalid(errnoOf(error) === 'ENOENT' ? `open ${path}: no such file or directory` : String(error));
      });
      await file.close();
    }
    const client = await connectClient(invocation);
    const platform = given.string('platform');
    const quiet = given.bool('quiet') || terminal.stdout.isTTY !== true;
    const messages = client.images.load(
      path === '' ? terminal.stdin : createReadStream(path, { highWaterMark: 1 << 18 }),
      {
        quiet,
        ...(platform ? { platform } : {}),
      },
    );
    await renderProgress(messages, terminal.stdout);
  },
};
