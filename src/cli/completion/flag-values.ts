import type { Place } from './place.ts';

/** Words that a flag takes, by its name; only where they mean the same in all commands. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  ansi: ['never', 'always', 'auto'],
  cgroupns: ['host', 'private'],
  condition: ['healthy', 'exited'],
  format: ['table', 'json'],
  ipc: ['private', 'shareable', 'host', 'none', 'container:'],
  'log-driver': ['json-file', 'local', 'journald', 'syslog', 'none'],
  'log-level': ['debug', 'info', 'warn', 'error', 'fatal'],
  pid: ['host', 'container:'],
  platform: ['linux/amd64', 'linux/arm64'],
  progress: ['auto', 'tty', 'plain', 'json', 'rawjson', 'quiet'],
  pull: ['always', 'missing', 'never'],
  restart: ['no', 'always', 'unless-stopped', 'on-failure'],
  signal: ['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGSTOP', 'SIGCONT'],
  status: ['created', 'running', 'restarting', 'paused', 'exited', 'dead', 'removing'],
  'stop-signal': ['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGHUP', 'SIGQUIT'],
  type: ['container', 'image', 'network', 'volume'],
  userns: ['host'],
  uts: ['host'],
};

/** Flags that name an object. */
const PLACES: Readonly<Record<string, Place>> = {
  context: 'context',
  link: 'container',
  network: 'network',
  'volumes-from': 'container',
  attach: 'service',
  'exit-code-from': 'service',
  'no-attach': 'service',
};

/** What a value of the flag is: one of some words, the name of an object, or (neither) perhaps a file. */
export function flagValues(name: string): { readonly words?: readonly string[]; readonly place?: Place } {
  // Not from the prototype: a flag may be named as one of its members.
  const words = Object.hasOwn(CHOICES, name) ? CHOICES[name] : undefined;
  const place = Object.hasOwn(PLACES, name) ? PLACES[name] : undefined;
  return { ...(words ? { words } : {}), ...(place ? { place } : {}) };
}
