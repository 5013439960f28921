export * from './firewall.ts';
export * from './host.ts';
export * from './links.ts';
export { createLinks } from './linux/links.ts';
export { createNetworkNamespaces } from './linux/network-namespaces.ts';
export { createFirewall } from './linux/nftables.ts';
export { createSockets } from './linux/sockets.ts';
export * from './sockets.ts';
