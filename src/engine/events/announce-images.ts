import type { Image, ImageRemoval, ImageStore } from '#image';
import { familiarName, familiarString, parseReference } from '#oci';
import type { EventJournal } from './events.ts';

/** The image store as the API uses it: whatever changes is announced, with Docker's actions and attributes. */
export function announceImages(images: ImageStore, events: EventJournal): ImageStore {
  const publish = (action: string, image: Pick<Image, 'id' | 'config'>, name: string) =>
    events.publish('image', action, image.id, { ...image.config.config?.Labels, name });
  const transferred = (action: string, reference: string) => {
    const name = parseReference(reference);
    events.publish('image', action, familiarString(name), { name: familiarName(name) });
  };
  return {
    get: (name) => images.get(name),
    list: () => images.list(),
    history: (name) => images.history(name),
    unpack: (image) => images.unpack(image),
    holding: (body) => images.holding(body),
    commitLayer: (key, parentChain, options) => images.commitLayer(key, parentChain, options),
    collectGarbage: (keep) => images.collectGarbage(keep),
    async tag(source, target) {
      await images.tag(source, target);
      publish('tag', await images.get(target), familiar(target));
    },
    async remove(name, options) {
      const named = await images.get(name);
      const before = new Map((await images.list()).map((image) => [image.id, image]));
      const removals = await images.remove(name, options);
      for (const removal of removals) announceRemoval(removal, { named, before, publish });
      return removals;
    },
    async pull(name, options) {
      const image = await images.pull(name, options);
      transferred('pull', name);
      return image;
    },
    async push(name, options) {
      const pushed = await images.push(name, options);
      transferred('push', name);
      return pushed;
    },
    async save(names, options) {
      const archive = await images.save(names, options);
      for (const name of names) {
        const image = await images.get(name);
        publish('save', image, image.id);
      }
      return archive;
    },
    async load(archive, options) {
      const loaded = await images.load(archive, options);
      for (const { image } of loaded) publish('load', image, image.id);
      return loaded;
    },
    async import(archive, options) {
      const image = await images.import(archive, options);
      if (options.target) publish('tag', image, familiar(options.target));
      publish('import', image, image.id);
      return image;
    },
    async create(config, layers, options) {
      const image = await images.create(config, layers, options);
      publish('create', image, image.id);
      for (const tag of options?.tags ?? []) publish('tag', image, familiar(tag));
      return image;
    },
  };
}

interface RemovedFrom {
  readonly named: Image;
  readonly before: ReadonlyMap<string, Image>;
  readonly publish: (action: string, image: Image, name: string) => void;
}

function announceRemoval(removal: ImageRemoval, { named, before, publish }: RemovedFrom): void {
  if ('untagged' in removal) {
    publish('untag', named, named.id);
    return;
  }
  // Layers are deleted too, of which nobody is told.
  const image = before.get(removal.deleted);
  if (image) publish('delete', image, image.id);
}

/** `q:1` for `docker.io/library/q:1`, and `q:latest` for `q`. */
function familiar(name: string): string {
  return familiarString(parseReference(name));
}
