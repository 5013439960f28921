import { open } from 'node:fs/promises';
import type { Compression } from '#archive';
import { notImplemented } from '#base';
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

const layerTypes: Readonly<Record<Compression, string>> = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
};

/** The OCI media type of the layer in the file at `path`, from its first bytes (RFC 1952, RFC 8878). */
export async function layerTypeOf(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0);
    return layerTypes[compressionOf(buffer.subarray(0, bytesRead))];
  } finally {
    await file.close();
  }
}

/** How bytes that begin with `head` are packed. Throws `not-implemented` for packings that layers cannot have. */
export function compressionOf(head: Buffer): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return 'zstd';
  if (head.subarray(0, 3).toString('latin1') === 'BZh') throw notImplemented('bzip2 archives are not supported');
  if (head.subarray(1, 5).toString('latin1') === '7zXZ') throw notImplemented('xz archives are not supported');
  return 'none';
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
