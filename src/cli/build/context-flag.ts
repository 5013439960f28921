import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errnoOf, invalid, messageOf, notFound, notImplemented } from '#base';
import { familiarName, readImageName } from '../progress/index.ts';

/** What a named context is: a directory of this machine, or an image of the engine's or a registry. */
export type ContextSource =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'image'; readonly reference: string };

/** Reads `NAME=VALUE` into the name as Dockerfiles have it and the value. Throws `invalid` with buildx's texts. */
export function readContextFlag(text: string): { name: string; value: string } {
  const equals = text.indexOf('=');
  if (equals === -1) throw invalid(`invalid context value: ${text}, expected key=value`);
  const written = text.slice(0, equals);
  try {
    const name = familiarName(readImageName(written)).replace(/:latest$/, '');
    return { name, value: text.slice(equals + 1) };
  } catch (error) {
    throw invalid(`invalid context name ${written}: ${messageOf(error)}`);
  }
}

const remote = /^(https?|git|ssh):\/\/|^git@|^github\.com\//;

/**
 * Finds out what the value of a named context means. Throws `not-found` or `invalid` for what is no directory and no
 * image, `not-implemented` for kinds of contexts that builds cannot be given here.
 */
export async function contextSource(name: string, value: string, cwd: string): Promise<ContextSource> {
  if (value.startsWith('docker-image://')) {
    const reference = value.slice('docker-image://'.length);
    try {
      return { kind: 'image', reference: familiarName(readImageName(reference)) };
    } catch (error) {
      throw invalid(`build context ${name}: ${messageOf(error)}: ${JSON.stringify(value)}`);
    }
  }
  if (value.startsWith('oci-layout://')) {
    throw notImplemented(
      `build context ${name}: layouts (${value}) cannot be used: load it as an image and say ${name}=docker-image://NAME`,
    );
  }
  if (remote.test(value)) {
    throw notImplemented(
      `build context ${name}: addresses (${value}) cannot be used: fetch it and say ${name}=DIRECTORY`,
    );
  }
  const path = resolve(cwd, value);
  const stats = await stat(value === '' ? '' : path).catch((error: unknown) => {
    const reason = errnoOf(error) === 'ENOENT' ? 'no such file or directory' : (errnoOf(error) ?? String(error));
    throw notFound(`failed to get build context ${name}: stat ${value}: ${reason}`, { cause: error });
  });
  if (!stats.isDirectory()) throw invalid(`failed to get build context ${name}: ${value}: not a directory`);
  return { kind: 'directory', path };
}
