export * from './human.ts';
export * from './listing.ts';
export * from './tabs.ts';
export * from './json-indent.ts';
export * from './ports.ts';
export * from './read-time.ts';
