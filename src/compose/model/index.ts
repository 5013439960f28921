export * from './project.ts';
export * from './service.ts';
export * from './service-parts.ts';
