export * from './commands/index.ts';
export * from './develop/index.ts';
export {
  combinedError,
  executePlan,
  observe,
  observeContainers,
  type Reporter,
  type StatusEvent,
  type StatusKind,
} from './execute/index.ts';
export * from './load/index.ts';
export * from './model/index.ts';
export {
  type ContainerRef,
  composeVersion,
  imageName,
  labels,
  type Observed,
  type ObservedContainer,
  type Operation,
  type Plan,
  type Step,
  withDependencies,
} from './plan/index.ts';
