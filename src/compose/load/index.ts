export type { LoadOptions } from './load-options.ts';
export { loadModel, loadProject, type RawModel } from './load-project.ts';
export { normaliseProjectName } from './project-name.ts';
export { shellWords } from './shell-words.ts';
export { diskReader, type SourceReader } from './source-reader.ts';
