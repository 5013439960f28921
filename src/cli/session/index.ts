export * from './follow-size.ts';
export * from './proxy-signals.ts';
export * from './stream-session.ts';
