export { type AddressPool, defaultAddressPools } from './ipam.ts';
export * from './network.ts';
export { isCustom, isUnused, pruneNetworks } from './prune.ts';
export { networkMigrations } from './schema.ts';
export { createNetworkService, type NetworkServiceOptions } from './service.ts';
