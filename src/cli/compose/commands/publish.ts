import { notImplemented } from '#base';
import { exactly } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openProject } from '../open-project.ts';

const flags = flagTable(`
      --app                     !
      --oci-version string      !
      --resolve-image-digests   !
      --with-env                !
  -y, --yes                     !
`);

/** `berth compose publish`: checks the project and says what to do instead, as nothing here writes such artifacts. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] REPOSITORY[:TAG]',
  short: 'Publish the project as an OCI artifact (not supported yet)',
  flags,
  args: exactly(1),
  async run(invocation) {
    const { context } = await openProject(invocation);
    context.reporter.close();
    throw notImplemented(
      `project "${context.projectName}" is not published to ${invocation.args[0]}: OCI artifacts of Compose files are not supported; push the images with "compose push" and pass on the output of "compose config --resolve-image-digests"`,
    );
  },
};
