export * from './config-file.ts';
export * from './connect.ts';
export * from './contexts.ts';
export * from './resolve-endpoint.ts';
