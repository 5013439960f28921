export { type CreateRuntimeOptions, createRuntime } from './create-runtime.ts';
export { readLog } from './log/read-log.ts';
export * from './runtime.ts';
export { buildExecProcess, buildRuntimeSpec } from './spec/build-runtime-spec.ts';
export { defaultCapabilities, hostCapabilities, resolveCapabilities } from './spec/capabilities.ts';
export { defaultSeccompProfile } from './spec/default-seccomp.ts';
export { describeDevice } from './spec/host-devices.ts';
export { parseSeccompProfile, resolveSeccomp, type SeccompProfile } from './spec/seccomp-profile.ts';
export * from './spec-input.ts';
