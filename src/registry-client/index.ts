export { createRegistryClient } from './http-registry-client.ts';
export * from './registry.ts';
