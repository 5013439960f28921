export * from './grpc.ts';
export * from './session-methods.ts';
