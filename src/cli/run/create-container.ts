import { existsSync, rmSync, writeFileSync } from 'node:fs';
import type { ContainerCreateRequest } from '#api-types';
import { invalid, isBerthError } from '#base';
import type { Client } from '#client';
import type { Invocation } from '../command/index.ts';
import { familiarName, pullImage, readImageName } from '../progress/index.ts';
import { containerRequest } from './container-request.ts';

/** The request that a command line of `run` or `create` makes. Throws `invalid`. */
export function requestOf(invocation: Invocation): ContainerCreateRequest {
  const { flags, args, terminal } = invocation;
  const { rows = 0, columns = 0 } = terminal.stdout;
  const [image = '', ...words] = args;
  if (!/^(sha256:)?[\da-f]{12,64}$/.test(image)) readImageName(image);
  const [height, width]: [number, number] = terminal.stdout.isTTY ? [rows, columns] : [0, 0];
  return containerRequest(flags, { image, words, env: terminal.env, cwd: terminal.cwd, consoleSize: [height, width] });
}

function reserveIdFile(path: string): void {
  if (existsSync(path)) {
    throw invalid(`container ID file found, make sure the other container isn't running or delete ${path}`);
  }
  writeFileSync(path, '');
}

/**
 * Creates the container of a command line, pulling its image first where `--pull` says so or it is missing.
 * Warnings go to stderr. Returns the id; the id file is written, or gone again after a failure.
 */
export async function createContainer(
  client: Client,
  invocation: Invocation,
  body: ContainerCreateRequest,
): Promise<string> {
  const { flags, terminal } = invocation;
  const pull = flags.string('pull', 'missing');
  if (!['always', 'missing', 'never', ''].includes(pull)) {
    throw invalid(`invalid pull option: '${pull}': must be one of "always", "missing" or "never"`);
  }
  const image = body.Image ?? '';
  const idFile = flags.string('cidfile');
  if (idFile !== '') reserveIdFile(idFile);
  const platform = flags.string('platform');
  const quiet = flags.bool('quiet');
  const fetchImage = () =>
    pullImage(client, invocation, {
      image,
      ...(platform === '' ? {} : { platform }),
      ...(quiet ? {} : { output: terminal.stderr }),
    });
  const create = () => client.containers.create(body, { name: flags.string('name'), platform });
  try {
    if (pull === 'always') await fetchImage();
    const answer = await create().catch(async (error: unknown) => {
      if (pull !== 'missing' || !isBerthError(error, 'not-found') || !/no such image/i.test(error.message)) throw error;
      if (!quiet) terminal.stderr.write(`Unable to find image '${familiarName(readImageName(image))}' locally\n`);
      await fetchImage();
      return create();
    });
    for (const warning of answer.Warnings ?? []) terminal.stderr.write(`WARNING: ${warning}\n`);
    if (idFile !== '') writeFileSync(idFile, answer.Id);
    return answer.Id;
  } catch (error) {
    if (idFile !== '') rmSync(idFile, { force: true });
    throw error;
  }
}
