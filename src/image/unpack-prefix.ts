/** Key prefix of snapshots that are being unpacked; after a restart nobody needs them. */
export const unpackPrefix = 'unpack:';
