import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';

/** Where system programs are, though a user's PATH may not say so. */
const systemDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The absolute path of a program: `name` itself when it has a slash, else the first match in PATH. */
export async function findProgram(name: string): Promise<string | undefined> {
  const directories = [...(process.env.PATH ?? '').split(':').filter(Boolean), ...systemDirectories];
  const candidates = name.includes('/') ? [name] : directories.map((directory) => join(directory, name));
  for (const path of candidates) {
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return path;
  }
  return undefined;
}
