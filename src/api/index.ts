export { type ApiOptions, type ApiServer, createApiServer } from './api-server.ts';
export type { ApiPorts, BootstrapPort, EngineComponent, EngineFacts, RegistryPort, SystemPort } from './ports.ts';
export type { ListenAddress } from './server/listen.ts';
