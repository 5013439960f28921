import type { ImageSearchResult } from '#api-types';
import { type Command, exactly } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { ellipsis, renderListing } from '../format/index.ts';
import { connectClient, readConfigFile } from '../host/index.ts';
import { credentialsFor, hubKey } from '../progress/index.ts';
import { type TypedObject, typeName } from '../template/index.ts';

const flags = flagTable(`
  -f, --filter filter   Show only what matches a condition, KEY=VALUE
      --format string   A Go TEMPLATE
      --limit int       Largest number of results
      --no-trunc        Do not cut long texts
`);

function row(result: ImageSearchResult, full: boolean): TypedObject {
  const description = result.description.replace(/[\n\r]/g, ' ');
  return {
    [typeName]: '*formatter.searchContext',
    Name: result.name,
    Description: full ? description : ellipsis(description, 45),
    StarCount: String(result.star_count),
    IsOfficial: result.is_official ? '[OK]' : '',
    IsAutomated: result.is_automated ? '[OK]' : '',
  };
}

/** `berth search`. */
export const command: Command = {
  usage: '[OPTIONS] TERM',
  short: 'Search a registry for images',
  flags,
  args: exactly(1),
  async run(invocation) {
    const { flags: given, args, terminal, globals } = invocation;
    const client = await connectClient(invocation);
    const auth = await credentialsFor(readConfigFile(globals.configDir), hubKey);
    const limit = given.number('limit');
    const results = await client.images.search(args[0] ?? '', {
      filters: given.list('filter'),
      ...(limit > 0 ? { limit } : {}),
      ...(auth ? { auth } : {}),
    });
    const text = renderListing(
      results.map((result) => row(result, given.bool('no-trunc'))),
      given.string('format'),
      {
        table: '{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}',
        headers: {
          Name: 'NAME',
          Description: 'DESCRIPTION',
          StarCount: 'STARS',
          IsOfficial: 'OFFICIAL',
          IsAutomated: 'AUTOMATED',
        },
      },
    );
    terminal.stdout.write(text);
  },
};
