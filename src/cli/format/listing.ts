import { messageOf } from '#base';
import { ExitError } from '../command/index.ts';
import { goJson, Template, TemplateExecError, type TypedObject } from '../template/index.ts';
import { alignTabs } from './tabs.ts';

/** A list that can be printed as a table, as JSON, or by a template. */
export interface Listing {
  /** Template of the default table, without the word `table`; cells separated by tabs. */
  readonly table: string;
  /** Header of each field that can stand in a table. */
  readonly headers: Readonly<Record<string, string>>;
  /** Template for `raw`. */
  readonly raw?: string;
  /** Template where only ids or names are wanted; used when `quiet`. */
  readonly quietTable?: string;
  readonly quiet?: boolean;
  /** The field printed with `raw` and `quiet`. */
  readonly rawQuiet?: string;
  /** A row on which the template is tried where the list is empty, so that a wrong field is an error even then. */
  readonly sample?: TypedObject;
}

/** Go's JSON of an object: keys sorted, `<`, `>` and `&` as escapes. */
function rowJson(row: TypedObject): string {
  const plain: Record<string, unknown> = {};
  for (const key of Object.keys(row).sort()) if (typeof row[key] !== 'function') plain[key] = row[key];
  return goJson(plain).replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}

/** The columns' headings: each field reads as its header, functions pass through. */
function headerRow(
  headers: Readonly<Record<string, string>>,
  sample: TypedObject | undefined,
): Record<string, unknown> {
  const row: Record<string, unknown> = { ...headers };
  if (sample !== undefined) {
    for (const [key, value] of Object.entries(sample)) {
      if (typeof value === 'function') row[key] = (name: string) => name.replace(/[-_]/g, ' ').replace(/^.*\./, '');
    }
  }
  return row;
}

function plainEscapes(format: string): string {
  return format.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

/**
 * The text of a list. `format` is what `--format` said: empty or `table`, `table TEMPLATE`, `json`, `raw`, or a
 * template. Throws {@link ExitError} with Docker's texts when the template is wrong.
 */
export function renderListing(rows: readonly TypedObject[], format: string, listing: Listing): string {
  const trimmed = format.trim();
  const isTable =
    trimmed === '' || trimmed === 'table' || trimmed.startsWith('table ') || trimmed.startsWith('table\\t');
  const quietTable = listing.quiet ? listing.quietTable : undefined;
  let source: string;
  if (isTable) {
    const own = trimmed
      .slice('table'.length)
      .replace(/^(?:\\t| )+/, '')
      .trim();
    source = own === '' ? (quietTable ?? listing.table) : plainEscapes(own);
  } else if (trimmed === 'json') source = '{{json .}}';
  else if (trimmed === 'raw') source = listing.quiet && listing.rawQuiet ? listing.rawQuiet : (listing.raw ?? '');
  else source = plainEscapes(format.trim());

  const asJson = (value: unknown): string =>
    typeof value === 'object' && value !== null && rows.includes(value as TypedObject)
      ? rowJson(value as TypedObject)
      : goJson(value);
  let template: Template;
  try {
    template = new Template(source, { json: asJson });
  } catch (error) {
    throw new ExitError(1, `failed to parse template: ${messageOf(error)}\n`);
  }
  const lines: string[] = [];
  try {
    if (rows.length === 0 && listing.sample !== undefined) template.execute(listing.sample);
    for (const row of rows) lines.push(template.execute(row));
    if (!isTable || (quietTable !== undefined && source === quietTable)) {
      return lines.map((line) => `${line}\n`).join('');
    }
    const header = template.execute(headerRow(listing.headers, rows[0]));
    return `${alignTabs([header, ...lines].join('\n'))}\n`;
  } catch (error) {
    if (!(error instanceof TemplateExecError)) throw error;
    throw new ExitError(1, `failed to execute template: ${error.message}\n`);
  }
}
