import type { ImageVersion } from '#api-types';
import { type Command, exactly } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { ago, renderListing, shortId } from '../format/index.ts';
import { connectClient } from '../host/index.ts';
import { type TypedObject, typeName } from '../template/index.ts';
import { formatHelp } from './ps.ts';

const flags = flagTable(`
      --format string     ${formatHelp}
      --no-trunc          Do not cut ids
`);

function row(version: ImageVersion, index: number, full: boolean): TypedObject {
  const id = version.ImageID === '' ? '<none>' : version.ImageID;
  const { Via, Uid, Pid, Agent } = version.Actor;
  const who = [Uid === undefined ? '' : `uid ${Uid}`, Pid === undefined ? '' : `pid ${Pid}`, Agent ?? ''];
  return {
    [typeName]: '*image.versionContext',
    Number: String(index),
    ID: full || id === '<none>' ? id : shortId(id),
    Digest: version.ManifestDigest,
    Time: version.Time,
    Since: ago(Date.parse(version.Time) / 1000),
    By: who.filter((word) => word !== '').join(', ') || Via,
    Status: index === 0 ? 'current' : version.Present ? 'available' : 'gone',
  };
}

/** `berth image log`. */
export const command: Command = {
  usage: '[OPTIONS] NAME[:TAG]',
  short: 'Show what a tag pointed to, when, and who moved it',
  flags,
  args: exactly(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const client = await connectClient(invocation);
    const versions = await client.images.versions(args[0] ?? '');
    const text = renderListing(
      versions.map((version, index) => row(version, index, given.bool('no-trunc'))),
      given.string('format'),
      {
        table: '{{.Number}}\t{{.ID}}\t{{.Since}}\t{{.Status}}\t{{.By}}',
        quietTable: '{{.ID}}',
        quiet: false,
        headers: {
          Number: 'VERSION',
          ID: 'IMAGE',
          Digest: 'DIGEST',
          Time: 'TIME',
          Since: 'TAGGED',
          By: 'BY',
          Status: 'STATUS',
        },
      },
    );
    terminal.stdout.write(text);
  },
};
