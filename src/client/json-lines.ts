import type { Readable } from 'node:stream';

/** The values of a stream of JSON texts, one a line (CRLF or LF). A last line without an end is read too. */
export async function* jsonLines<T>(source: Readable): AsyncGenerator<T> {
  for await (const line of textLines(source)) if (line.trim() !== '') yield JSON.parse(line) as T;
}

/** The lines of a stream, as text without their ends. */
export async function* textLines(source: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}
