import { containersOfServices, observeContainers } from '#compose';
import { atLeast } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import { ago, alignTabs, humanSize, shortId } from '../../format/index.ts';
import { readImageName } from '../../progress/index.ts';
import { goJson } from '../../template/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { listFormat } from '../list-format.ts';
import { openNamed } from '../open-project.ts';

const flags = flagTable(`
      --format string   Kind of output: 'table' or 'json' (default "table")
  -q, --quiet           Only ids
`);

function nameParts(reference: string | undefined): { repository: string; tag: string } {
  if (reference === undefined || reference.startsWith('sha256:')) return { repository: '<none>', tag: '<none>' };
  const name = readImageName(reference);
  return { repository: name.familiar, tag: name.tag ?? 'latest' };
}

/** `berth compose images`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'List the images that containers were made from',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const format = listFormat(given);
    const { context, client } = await openNamed(invocation);
    const containers = containersOfServices(await observeContainers(client, context.projectName), args);
    const rows = await Promise.all(
      containers.map(async (container) => {
        const image = await client.images.inspect(container.imageId);
        const reference = image.RepoTags.includes(container.image) ? container.image : image.RepoTags[0];
        const platform = [image.Os, image.Architecture, image.Variant].filter(Boolean).join('/');
        return { container, image, platform, ...nameParts(reference) };
      }),
    );
    if (given.bool('quiet')) {
      const ids = [...new Set(rows.map(({ image }) => image.Id.replace(/^sha256:/, '')))];
      terminal.stdout.write(ids.map((id) => `${id}\n`).join(''));
    } else if (format === 'json') {
      const values = rows.map(({ container, image, platform, repository, tag }) => ({
        ID: image.Id,
        ContainerName: container.name,
        Repository: repository,
        Tag: tag,
        Platform: platform,
        Size: image.Size,
        LastTagTime: image.Metadata.LastTagTime,
      }));
      terminal.stdout.write(`${goJson(values)}\n\n`);
    } else {
      const lines = rows.map(({ container, image, platform, repository, tag }) =>
        [
          container.name,
          repository,
          tag,
          platform,
          shortId(image.Id),
          humanSize(image.Size, 3),
          ago(Date.parse(image.Created) / 1000),
        ].join('\t'),
      );
      const head = 'CONTAINER\tREPOSITORY\tTAG\tPLATFORM\tIMAGE ID\tSIZE\tCREATED';
      terminal.stdout.write(`${alignTabs([head, ...lines].join('\n'), { minWidth: 20, padding: 3 })}\n`);
    }
  },
};
