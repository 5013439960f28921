export * from './archive.ts';
export { type Archiver, createArchiver } from './archiver.ts';
export { type ArchiveCompression, archiveFault, decompress, detectCompression } from './tar/decompress.ts';
export { joinTars } from './tar/join-tars.ts';
export { looksLikeTar } from './tar/tar-header.ts';
