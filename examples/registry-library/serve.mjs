// A registry inside a program of your own. usage: node serve.mjs DIRECTORY [HOST:PORT]
import { openRegistry, parseAddress, parseConfig } from 'berth/registry';

const [directory, address = '127.0.0.1:5000'] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: node serve.mjs DIRECTORY [HOST:PORT]');

// The settings are those of the config file of `berth registry serve`.
const config = parseConfig({ quotas: [{ prefix: 'team/', bytes: '1GiB' }], garbage: { untagged: true } }, 'settings');
const registry = await openRegistry(directory, config, {
  logger: console,
  accessLog: ({ method, url, status }) => console.log(`${method} ${url} ${status}`),
});
const { host, port } = await registry.listen(parseAddress(address));
console.log(`registry at ${host}:${port}`);

process.once('SIGTERM', async () => {
  const { blobs, bytes } = await registry.collectGarbage();
  console.log(`removed ${blobs} blobs of ${bytes} bytes`);
  await registry.close();
});
