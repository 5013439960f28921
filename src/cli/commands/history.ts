import type { ImageHistoryItem } from '#api-types';
import { type Command, exactly } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { ago, ellipsis, humanSize, renderListing, rfc3339, shortId } from '../format/index.ts';
import { connectClient } from '../host/index.ts';
import { type TypedObject, typeName } from '../template/index.ts';
import { formatHelp } from './ps.ts';

const flags = flagTable(`
      --format string     ${formatHelp}
  -H, --human             Sizes and dates in words (default true)
      --no-trunc          Do not cut long texts
      --platform string   Platform of the image, where it has several
  -q, --quiet             Print ids only
`);

function row(item: ImageHistoryItem, options: { full: boolean; human: boolean }): TypedObject {
  const by = item.CreatedBy.replaceAll('\t', ' ');
  const id = item.Id === '' ? '<missing>' : item.Id;
  return {
    [typeName]: '*image.historyContext',
    ID: options.full || id === '<missing>' ? id : shortId(id),
    CreatedSince: options.human ? (item.Created > 0 ? ago(item.Created) : 'N/A') : rfc3339(item.Created),
    CreatedAt: rfc3339(item.Created),
    CreatedBy: options.full ? by : ellipsis(by, 45),
    Size: options.human ? humanSize(item.Size, 3) : String(item.Size),
    Comment: item.Comment,
  };
}

/** `berth history`. */
export const command: Command = {
  usage: '[OPTIONS] IMAGE',
  short: 'Show the history of an image',
  flags,
  args: exactly(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const client = await connectClient(invocation);
    const platform = given.string('platform');
    const items = await client.images.history(args[0] ?? '', platform ? { platform } : {});
    const options = { full: given.bool('no-trunc'), human: given.changed('human') ? given.bool('human') : true };
    const text = renderListing(
      items.map((item) => row(item, options)),
      given.string('format'),
      {
        table: '{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}',
        quietTable: '{{.ID}}',
        quiet: given.bool('quiet'),
        headers: {
          ID: 'IMAGE',
          CreatedSince: 'CREATED',
          CreatedAt: 'CREATED AT',
          CreatedBy: 'CREATED BY',
          Size: 'SIZE',
          Comment: 'COMMENT',
        },
      },
    );
    terminal.stdout.write(text);
  },
};
