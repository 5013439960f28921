import type { LiveContainer } from '../containers/live-container.ts';

/** Labels and variables that the options `labels`, `labels-regex`, `env` and `env-regex` ask for with each message. */
export function extraFields({ settings }: LiveContainer): Record<string, string> {
  const { options } = settings.host.log;
  const variables = Object.fromEntries(settings.process.env.map((entry) => entry.split(/=(.*)/s) as [string, string]));
  return {
    ...picked(settings.labels, options.labels, options['labels-regex']),
    ...picked(variables, options.env, options['env-regex']),
  };
}

function picked(from: Readonly<Record<string, string>>, names = '', pattern?: string): Record<string, string> {
  const wanted = new Set(names.split(',').filter((name) => name !== ''));
  const matches = pattern === undefined || pattern === '' ? undefined : new RegExp(pattern);
  return Object.fromEntries(Object.entries(from).filter(([name]) => wanted.has(name) || matches?.test(name)));
}
