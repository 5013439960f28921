import type { FastifyInstance } from 'fastify';
import type { ImageRollback, ImageVersion } from '#api-types';
import { invalid } from '#base';
import { familiarString, parseReference, withDefaultTag } from '#oci';
import { encodeActor } from '../../encode/actor.ts';
import { formatTime } from '../../encode/time.ts';
import type { ApiPorts } from '../../ports.ts';
import { Query } from '../../request/query.ts';

/** GET /berth/images/log?name=NAME and POST /berth/images/rollback?name=NAME&to=N|DIGEST. */
export function registerImageVersions(app: FastifyInstance, { images }: ApiPorts): void {
  app.get('/berth/images/log', async (request): Promise<ImageVersion[]> => {
    const versions = await images.versions(nameOf(new Query(request)));
    return versions.map(({ image, manifest, at, actor, isPresent }) => ({
      ImageID: image ?? '',
      ManifestDigest: manifest ?? '',
      Time: formatTime(at),
      Actor: encodeActor(actor),
      Present: isPresent,
    }));
  });

  app.post('/berth/images/rollback', async (request): Promise<ImageRollback> => {
    const query = new Query(request);
    const name = nameOf(query);
    const image = await images.rollBack(name, query.nonEmpty('to'));
    return { Name: familiarString(withDefaultTag(parseReference(name))), ImageID: image.id };
  });
}

function nameOf(query: Query): string {
  const name = query.nonEmpty('name');
  if (name === undefined) throw invalid('which tag? Give name=NAME[:TAG]');
  return name;
}
