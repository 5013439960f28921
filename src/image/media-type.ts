import { open } from 'node:fs/promises';
import { type ArchiveCompression, detectCompression } from '#archive';
import { invalid } from '#base';
import { type Descriptor, type Manifest, mediaTypes } from '#oci';

const compressedTypes: readonly string[] = [
  mediaTypes.ociLayerGzip,
  mediaTypes.ociLayerZstd,
  mediaTypes.dockerLayerGzip,
  mediaTypes.dockerForeignLayerGzip,
];

/** True when the layer's blob is a compressed tar. */
export function isCompressed(layer: Pick<Descriptor, 'mediaType'>): boolean {
  return compressedTypes.includes(layer.mediaType);
}

const layerTypes: Readonly<Partial<Record<ArchiveCompression, string>>> = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
};

/** The OCI media type of the layer in the file at `path`, from its first bytes. Throws `invalid` for other packings. */
export async function layerTypeOf(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0);
    const compression = detectCompression(buffer.subarray(0, bytesRead));
    const type = layerTypes[compression];
    if (type === undefined) throw invalid(`a layer cannot be packed with ${compression}`);
    return type;
  } finally {
    await file.close();
  }
}

/** The OCI manifest of an image that came without one: same config and layers, same bytes. */
export function makeManifest(config: Descriptor, layers: readonly Descriptor[]): { manifest: Manifest; bytes: Buffer } {
  const plain = ({ mediaType, digest, size }: Descriptor): Descriptor => ({ mediaType, digest, size });
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: plain(config),
    layers: layers.map(plain),
  };
  return { manifest, bytes: Buffer.from(JSON.stringify(manifest)) };
}
