// Prints what a real dockerd lets through: node dist-test/integration/network/record-matrix.js DOCKER_HOST > facts.json
import { Docker } from '#testkit';
import { World } from './connectivity.ts';

await using world = await World.create(new Docker(process.argv[2] ?? ''), 'mtr-');
process.stdout.write(`${JSON.stringify(await world.measure(), null, 1)}\n`);
