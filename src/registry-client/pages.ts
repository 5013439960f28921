import { invalid } from '#base';
import type { Cancelable } from './registry.ts';
import { fieldOf, type RegistryFault, readBody, readFault } from './registry-errors.ts';
import type { RegistrySession } from './registry-session.ts';

const pageLimit = 8 * 1024 * 1024;
const maxPages = 10_000;

/** A list that comes in pages. */
export interface PagedRequest extends Cancelable {
  readonly target: string;
  readonly scopes: readonly string[];
  /** Field of the answer that holds the entries. */
  readonly field: string;
}

/** The entries of all pages, following `Link: <...>; rel="next"` on the same registry (RFC 8288). */
export async function* pagesOf(
  session: RegistrySession,
  request: PagedRequest,
  refuse: (fault: RegistryFault) => Error,
): AsyncGenerator<unknown> {
  let target: string | URL = request.target;
  for (let page = 0; page < maxPages; page += 1) {
    const response = await session.send({ method: 'GET', target, scopes: request.scopes, signal: request.signal });
    if (response.status !== 200) throw refuse(await readFault(response));
    const entries = fieldOf(parse(await readBody(response, pageLimit, 'list'), session.host), request.field) ?? [];
    if (!Array.isArray(entries)) throw invalid(`registry ${session.host} gave a list of no known form`);
    yield* entries;
    const link = /<([^>]*)>\s*;[^,]*rel="?next"?/.exec(String(response.headers.link ?? ''))?.[1];
    if (link === undefined || !URL.canParse(link, response.url.href)) return;
    target = new URL(link, response.url);
    if (target.host !== response.url.host) throw invalid(`registry ${session.host} continues a list on ${target.host}`);
  }
}

/** As {@link pagesOf}, of names only. */
export async function* namesOf(...args: Parameters<typeof pagesOf>): AsyncGenerator<string> {
  for await (const entry of pagesOf(...args)) if (typeof entry === 'string') yield entry;
}

function parse(body: Buffer, host: string): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw invalid(`registry ${host} gave a list that is no JSON`);
  }
}
