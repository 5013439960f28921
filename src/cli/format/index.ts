export * from './human.ts';
export * from './json-indent.ts';
export * from './listing.ts';
export * from './ports.ts';
export * from './read-time.ts';
export * from './tabs.ts';
