export { configDocument, type Document } from './config-document.ts';
export * from './duration.ts';
export { networkHash, serviceHash, volumeHash } from './hash.ts';
export * from './place-of.ts';
export * from './project.ts';
export * from './service.ts';
export * from './service-parts.ts';
export { readUpdatePolicy, type UpdatePolicy, updatePolicyOf } from './update-policy.ts';
