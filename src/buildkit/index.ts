export * from './connect-grpc.ts';
export * from './file-list.ts';
export * from './grpc.ts';
export * from './receive-tree.ts';
export * from './send-tree.ts';
export * from './serve-grpc.ts';
export * from './session-methods.ts';
export * from './trace.ts';
