import { fault } from '../faults.ts';
import type { Page } from '../records/records.ts';

/** Entries of a page when the client asks for no number, or for more. */
export const maxPage = 1000;

/** Reads `n` and `last` (distribution-spec, "Listing tags"). Throws PAGINATION_NUMBER_INVALID. */
export function readPage(query: URLSearchParams): Page {
  const text = query.get('n');
  if (text !== null && !/^\d{1,9}$/.test(text)) {
    throw fault('PAGINATION_NUMBER_INVALID', `invalid number of results requested: n=${text.slice(0, 50)}`, {
      n: text,
    });
  }
  return { after: query.get('last') ?? '', limit: Math.min(text === null ? maxPage : Number(text), maxPage) };
}

/**
 * Asks for one entry more than a page holds, so that it is known whether another page follows. `link` is the headers
 * that lead there (RFC 8288).
 */
export async function takePage<T>(
  page: Page,
  options: { list: (page: Page) => Promise<T[]>; key: (entry: T) => string; path: string; query?: string },
): Promise<{ entries: T[]; link: Record<string, string> }> {
  if (page.limit === 0) return { entries: [], link: {} };
  const found = await options.list({ after: page.after, limit: page.limit + 1 });
  const entries = found.slice(0, page.limit);
  const last = entries.at(-1);
  if (found.length <= page.limit || last === undefined) return { entries, link: {} };
  const target = `${options.path}?n=${page.limit}&last=${encodeURIComponent(options.key(last))}${options.query ?? ''}`;
  return { entries, link: { Link: `<${target}>; rel="next"` } };
}
