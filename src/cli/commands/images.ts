import type { ImageSummary } from '#api-types';
import { atMost, type Command } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { ago, goTime, humanSize, type Listing, renderListing, shortId } from '../format/index.ts';
import { connectClient, readConfigFile } from '../host/index.ts';
import { type TypedObject, typeName } from '../template/index.ts';
import { formatHelp } from './ps.ts';

const flags = flagTable(`
  -a, --all             Show intermediate images too
      --digests         Show digests
  -f, --filter filter   Show only what matches a condition, KEY=VALUE
      --format string   ${formatHelp}
      --no-trunc        Do not cut long texts
  -q, --quiet           Print ids only
`);

interface Named {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

function splitTag(reference: string): [string, string] {
  const colon = reference.lastIndexOf(':');
  return colon > reference.lastIndexOf('/')
    ? [reference.slice(0, colon), reference.slice(colon + 1)]
    : [reference, '<none>'];
}

/** One row per name of an image: its tags, or its digests where it has no tag, or nothing but the id. */
function namesOf(image: ImageSummary, options: { digests: boolean; dangling: boolean }): Named[] {
  const none = '<none>';
  const tags = (image.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>').map(splitTag);
  const digests = (image.RepoDigests ?? [])
    .filter((digest) => digest !== '<none>@<none>')
    .map((digest) => digest.split('@') as [string, string]);
  if (tags.length === 0 && digests.length === 0) return [{ repository: none, tag: none, digest: none }];
  if (options.dangling) return [{ repository: none, tag: none, digest: none }];
  const repositories = [...new Set([...tags, ...digests].map(([repository]) => repository))];
  return repositories.flatMap((repository) => {
    const own = digests.filter(([other]) => other === repository).map(([, digest]) => digest);
    const names = tags.filter(([other]) => other === repository).map(([, tag]) => tag);
    if (!options.digests) {
      return (names.length > 0 ? names : [none]).map((tag) => ({ repository, tag, digest: own[0] ?? none }));
    }
    if (own.length === 0) return names.map((tag) => ({ repository, tag, digest: none }));
    return own.flatMap((digest) => (names.length > 0 ? names : [none]).map((tag) => ({ repository, tag, digest })));
  });
}

/** A name of an image as the rows of `images` show it. */
export function imageRows(
  image: ImageSummary,
  options: { digests: boolean; full: boolean; dangling: boolean },
): TypedObject[] {
  const counted = (value: number | undefined, show: (value: number) => string) =>
    value === undefined || value < 0 ? 'N/A' : show(value);
  return namesOf(image, options).map(({ repository, tag, digest }) => ({
    [typeName]: '*formatter.imageContext',
    ID: options.full ? image.Id : shortId(image.Id),
    Repository: repository,
    Tag: tag,
    Digest: digest,
    CreatedSince: image.Created > 0 ? ago(image.Created) : 'N/A',
    CreatedAt: goTime(image.Created),
    Size: humanSize(image.Size, 3),
    Containers: counted(image.Containers, String),
    VirtualSize: humanSize(image.Size),
    SharedSize: counted(image.SharedSize, (value) => humanSize(value)),
    UniqueSize: image.SharedSize < 0 ? 'N/A' : humanSize(image.Size - image.SharedSize),
  }));
}

/** How the list of images looks. */
export function imageListing(options: { digests: boolean; quiet: boolean }): Listing {
  const digest = options.digests ? '{{.Digest}}\t' : '';
  return {
    table: `{{.Repository}}\t{{.Tag}}\t${digest}{{.ID}}\t{{if .CreatedSince}}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}`,
    quietTable: '{{.ID}}',
    rawQuiet: 'image_id: {{.ID}}',
    raw: `repository: {{.Repository}}\ntag: {{.Tag}}\n${options.digests ? 'digest: {{.Digest}}\n' : ''}image_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n`,
    quiet: options.quiet,
    headers: {
      ID: 'IMAGE ID',
      Repository: 'REPOSITORY',
      Tag: 'TAG',
      Digest: 'DIGEST',
      CreatedSince: 'CREATED',
      CreatedAt: 'CREATED AT',
      Size: 'SIZE',
      Containers: 'CONTAINERS',
      VirtualSize: 'SIZE',
      SharedSize: 'SHARED SIZE',
      UniqueSize: 'UNIQUE SIZE',
    },
  };
}

/** `berth images`. */
export const command: Command = {
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  short: 'List images',
  flags,
  args: atMost(1),
  async run(invocation) {
    const { flags: given, args, terminal, globals } = invocation;
    const client = await connectClient(invocation);
    const quiet = given.bool('quiet');
    const filters = [...given.list('filter'), ...args.map((name) => `reference=${name}`)];
    const format = given.string('format') || (quiet ? '' : (readConfigFile(globals.configDir).imagesFormat ?? ''));
    const images = await client.images.list({ all: given.bool('all'), filters });
    const options = {
      digests: given.bool('digests') || /\.Digest\b/.test(format),
      full: given.bool('no-trunc'),
      dangling: filters.includes('dangling=true'),
    };
    const rows = images.flatMap((image) => imageRows(image, options));
    terminal.stdout.write(renderListing(rows, format, imageListing({ digests: given.bool('digests'), quiet })));
  },
};
