export * from './archive.ts';
export { type Archiver, createArchiver } from './archiver.ts';
export { type ArchiveCompression, archiveFault, decompress, detectCompression } from './tar/decompress.ts';
export { joinTars } from './tar/join-tars.ts';
export { encodeHeader } from './tar/tar-encode.ts';
export type { TarEntry } from './tar/tar-entry.ts';
export { looksLikeTar } from './tar/tar-header.ts';
