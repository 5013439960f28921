import { invalid } from '#base';
import type { ImageRunConfig } from '#oci';

/**
 * Reads Dockerfile instructions as `import --change` takes them (CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, USER,
 * VOLUME, WORKDIR, STOPSIGNAL) into an image's run config. Throws `invalid` with Docker's text for any other.
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
