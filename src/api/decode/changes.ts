import { invalid, parseDuration } from '#base';
import type { Healthcheck, ImageRunConfig } from '#oci';

/**
 * Reads Dockerfile instructions as `import --change` takes them (CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL,
 * ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR) into an image's run config. Throws `invalid` with Docker's text for any other.
 */
export function decodeChanges(changes: readonly string[]): ImageRunConfig {
  const config: ImageRunConfig = {};
  for (const change of changes.flatMap((text) => text.split('\n'))) {
    const line = change.trim();
    if (line === '') continue;
    const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
    const apply = appliers[word.toUpperCase()];
    if (apply === undefined) throw invalid(`${word.toUpperCase()} is not a valid change command`);
    apply(config, rest.trim());
  }
  return config;
}

const appliers: Readonly<Record<string, (config: ImageRunConfig, rest: string) => void>> = {
  CMD: (config, rest) => {
    config.Cmd = commandOf(rest);
  },
  ENTRYPOINT: (config, rest) => {
    config.Entrypoint = commandOf(rest);
  },
  ENV: (config, rest) => {
    config.Env = [...(config.Env ?? []), ...pairsOf(rest).map(([name, value]) => `${name}=${value}`)];
  },
  EXPOSE: (config, rest) => {
    const ports = rest.split(/\s+/).map((port) => (port.includes('/') ? port : `${port}/tcp`));
    config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) };
  },
  HEALTHCHECK: (config, rest) => {
    config.Healthcheck = healthcheckOf(rest);
  },
  LABEL: (config, rest) => {
    config.Labels = { ...config.Labels, ...Object.fromEntries(pairsOf(rest)) };
  },
  ONBUILD: (config, rest) => {
    config.OnBuild = [...(config.OnBuild ?? []), rest];
  },
  STOPSIGNAL: (config, rest) => {
    config.StopSignal = rest;
  },
  USER: (config, rest) => {
    config.User = rest;
  },
  VOLUME: (config, rest) => {
    const paths = jsonList(rest) ?? rest.split(/\s+/);
    config.Volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
  },
  WORKDIR: (config, rest) => {
    config.WorkingDir = rest.startsWith('/') ? rest : `${config.WorkingDir ?? ''}/${rest}`;
  },
};

function jsonList(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((item) => typeof item === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

function commandOf(text: string): string[] {
  return jsonList(text) ?? ['/bin/sh', '-c', text];
}

/** `a=b c="d e"`, or the old form `a b c` with one name and the rest as its value. */
function pairsOf(text: string): [string, string][] {
  const [first = ''] = text.split(/\s+/, 1);
  if (!first.includes('=')) return [[first, text.slice(first.length).trim()]];
  const words = text.match(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/g) ?? [];
  return words.map((word) => {
    const at = word.indexOf('=');
    const value = word.slice(at + 1).replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g, '$1$2$3');
    return [word.slice(0, at), value];
  });
}

const healthTimes = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
} as const;

/** `[--interval=10s ...] CMD command` or `NONE`. Throws `invalid`. */
function healthcheckOf(text: string): Healthcheck {
  const health: Healthcheck = {};
  let rest = text;
  for (let flag = nextFlag(rest); flag !== undefined; flag = nextFlag(rest)) {
    const { name, value } = flag;
    rest = flag.rest;
    if (name === 'retries' && /^\d{1,9}$/.test(value)) health.Retries = Number(value);
    else if (isHealthTime(name)) health[healthTimes[name]] = parseDuration(value);
    else throw invalid(`HEALTHCHECK: bad flag --${name}=${value}`);
  }
  if (/^none$/i.test(rest)) return { Test: ['NONE'] };
  const command = /^cmd\s+(.+)$/i.exec(rest)?.[1];
  if (command === undefined) throw invalid('HEALTHCHECK wants CMD with a command, or NONE');
  const words = jsonList(command);
  return { Test: words === undefined ? ['CMD-SHELL', command] : ['CMD', ...words], ...health };
}

function nextFlag(text: string): { name: string; value: string; rest: string } | undefined {
  const match = /^--([\w-]+)=(\S+)\s*(.*)$/.exec(text);
  return match === null ? undefined : { name: match[1] ?? '', value: match[2] ?? '', rest: match[3] ?? '' };
}

function isHealthTime(name: string): name is keyof typeof healthTimes {
  return Object.hasOwn(healthTimes, name);
}
