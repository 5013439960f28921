import { lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { invalid } from '#base';
import type { Client } from '#client';
import { copyStream } from '#client';
import { type Command, exactly, type Invocation } from '../command/index.ts';
import { packPath, unpackTo } from '../copy/local-tar.ts';
import { splitArgument } from '../copy/split-argument.ts';
import { flagTable } from '../flags/index.ts';
import { humanSize } from '../format/index.ts';
import { connectClient } from '../host/index.ts';

const flags = flagTable(`
  -a, --archive       Keep owners (uid and gid)
  -L, --follow-link   Follow a symbolic link in SRC_PATH
  -q, --quiet         Do not say what was copied
`);

/** Go's bits of os.FileMode. */
const goDirectory = 0x80000000;
const goSymlink = 0x08000000;
const isDirectoryMode = (mode: number): boolean => Math.floor(mode / goDirectory) % 2 === 1;

interface Job {
  readonly client: Client;
  readonly invocation: Invocation;
  readonly container: string;
  readonly remote: string;
  readonly local: string;
}

function absoluteRemote(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

/** The end of a path that says "what is in it": `/.`. */
const namesContent = (path: string): boolean => path === '.' || path.endsWith('/.');

async function fromContainer(job: Job): Promise<number> {
  const { client, invocation, container, local } = job;
  const { terminal, flags: given } = invocation;
  let remote = absoluteRemote(job.remote);
  if (given.bool('follow-link')) {
    const link = await client.containers.pathStat(container, remote);
    if (Math.floor(link.mode / goSymlink) % 2 === 1) remote = resolve(dirname(remote), link.linkTarget);
  }
  const { stat: source, tar } = await client.containers.readArchive(container, remote);
  if (local === '-') {
    await copyStream(tar, terminal.stdout);
    return 0;
  }
  const target = resolve(terminal.cwd, local);
  const found = await stat(target).catch(() => undefined);
  if (!found && local.endsWith('/') && !isDirectoryMode(source.mode))
    throw invalid(`destination directory ${JSON.stringify(local)} does not exist`);
  if (!found && !(await stat(dirname(target)).catch(() => undefined))?.isDirectory()) {
    throw invalid(`invalid output path: directory ${JSON.stringify(dirname(target))} does not exist`);
  }
  if (found && !found.isDirectory() && isDirectoryMode(source.mode)) throw invalid('cannot copy directory');
  const content = namesContent(job.remote);
  const intoDirectory = found?.isDirectory() === true && !content;
  const name = intoDirectory ? source.name : basename(target);
  const folder = content && found ? target : intoDirectory ? target : dirname(target);
  const bytes = await unpackTo({
    tar,
    folder,
    root: source.name,
    name: content && found ? '' : name,
    keepOwners: given.bool('archive'),
  });
  report(invocation, bytes, local);
  return 0;
}

async function toContainer(job: Job): Promise<number> {
  const { client, invocation, container, local } = job;
  const { terminal, flags: given } = invocation;
  let remote = absoluteRemote(job.remote);
  const found = await client.containers.pathStat(container, remote).catch(() => undefined);
  if (found && Math.floor(found.mode / goSymlink) % 2 === 1) remote = resolve(dirname(remote), found.linkTarget);
  const target = found ? await client.containers.pathStat(container, remote).catch(() => undefined) : undefined;
  const isDirectory = target !== undefined && isDirectoryMode(target.mode);
  const options = { copyUidGid: given.bool('archive'), noOverwriteDirNonDir: true };
  if (local === '-') {
    if (!isDirectory) throw invalid(`destination "${container}:${job.remote}" must be a directory`);
    await client.containers.writeArchive(container, { path: remote, tar: terminal.stdin, ...options });
    return 0;
  }
  const asked = resolve(terminal.cwd, local);
  const path = given.bool('follow-link') ? await realpath(asked) : asked;
  const source = await lstat(path).catch(() => undefined);
  if (!source) throw invalid(`lstat ${path}: no such file or directory`);
  if (source.isDirectory() && target && !isDirectory)
    throw invalid(`cannot copy directory to file "${container}:${job.remote}"`);
  if (!target && job.remote.endsWith('/') && !source.isDirectory()) {
    throw invalid(`destination directory "${container}:${job.remote}" does not exist`);
  }
  const content = namesContent(local);
  const folder = isDirectory ? remote : dirname(remote);
  const name = isDirectory ? (content ? '' : basename(path)) : basename(remote);
  const { tar, bytes } = packPath(path, name);
  await client.containers.writeArchive(container, { path: folder, tar, ...options });
  report(invocation, bytes(), `${container}:${job.remote}`);
  return 0;
}

function report(invocation: Invocation, bytes: number, where: string): void {
  const { flags: given, terminal } = invocation;
  if (!given.bool('quiet') && terminal.stderr.isTTY)
    terminal.stderr.write(`Successfully copied ${humanSize(bytes, 3)} to ${where}\n`);
}

/** `berth cp`. */
export const command: Command = {
  usage: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-',
  short: 'Copy files between a container and this machine',
  flags,
  args: exactly(2),
  async run(invocation) {
    const [source = '', target = ''] = invocation.args;
    const from = splitArgument(source);
    const to = splitArgument(target);
    if (from.container !== '' && to.container !== '') throw invalid('copying between containers is not supported');
    if (from.container === '' && to.container === '') throw invalid('must specify at least one container source');
    const client = await connectClient(invocation);
    if (from.container !== '') {
      return fromContainer({ client, invocation, container: from.container, remote: from.path, local: to.path });
    }
    return toContainer({ client, invocation, container: to.container, remote: to.path, local: from.path });
  },
};
