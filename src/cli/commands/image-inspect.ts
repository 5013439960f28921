import { inspectCommand } from '../inspect-command.ts';

/** `berth image inspect`. */
export const command = inspectCommand({
  type: 'image',
  flag: '      --platform string   Platform of the image, where it has several',
  fetch: (client, name, given) =>
    client.images.inspectText(name, given.changed('platform') ? { platform: given.string('platform') } : {}),
});
