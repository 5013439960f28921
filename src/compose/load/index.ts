export { configYaml } from './config-yaml.ts';
export type { LoadOptions } from './load-options.ts';
export { loadModel, loadProject, type RawModel } from './load-project.ts';
export {
  applyLock,
  formatLock,
  type ImageLock,
  lockableImages,
  lockFileName,
  lockFilePath,
  parseLock,
} from './lock-file.ts';
export { parsePortSpec } from './port-spec.ts';
export { type ConfigOutput, type ConfigRequest, type ConfigSelection, renderConfig } from './render-config.ts';
export { shellWords } from './shell-words.ts';
export { diskReader, type SourceReader } from './source-reader.ts';
export { parseVolumeSpec } from './volume-spec.ts';
