export * from './config-document.ts';
export * from './duration.ts';
export * from './hash.ts';
export * from './project.ts';
export * from './service.ts';
export * from './service-parts.ts';
