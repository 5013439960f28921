import { invalid, readDetachKeys } from '#base';

/** The detach keys of a request; Docker's default where it names none. Throws `invalid` with Docker's text. */
export function requestedDetachKeys(text: string | undefined): Buffer {
  try {
    return readDetachKeys(text);
  } catch (cause) {
    throw invalid(`Invalid detach keys (${text}) provided`, { cause });
  }
}
