import { invalid } from '#base';
import type { ImageRunConfig } from '#oci';

/** Instructions that `--change` takes; the others make layers. */
const allowed = 'CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(' ');

/**
 * Applies Dockerfile instructions to a run configuration (`docker commit --change`, `docker import --change`). Words
 * are split with quotes and backslashes as the Dockerfile reference says. Throws `invalid` naming the line.
 */
export function applyChanges(config: ImageRunConfig, changes: readonly string[]): ImageRunConfig {
  let result = config;
  for (const line of changes.flatMap((change) => change.split('\n'))) {
    if (line.trim() !== '') result = apply(result, line.trim());
  }
  return result;
}

function apply(config: ImageRunConfig, line: string): ImageRunConfig {
  const space = line.search(/\s/);
  const instruction = (space < 0 ? line : line.slice(0, space)).toUpperCase();
  const rest = space < 0 ? '' : line.slice(space).trim();
  if (!allowed.includes(instruction)) throw invalid(`${instruction} is not a valid change command`);
  if (rest === '') throw invalid(`${instruction} requires at least one argument: ${line}`);
  const shell = config.Shell ?? ['/bin/sh', '-c'];
  switch (instruction) {
    case 'CMD':
      return { ...config, Cmd: command(rest, shell) };
    case 'ENTRYPOINT':
      return { ...config, Entrypoint: command(rest, shell) };
    case 'ENV':
      return { ...config, Env: setVariables(config.Env ?? [], pairs(rest, line)) };
    case 'LABEL':
      return { ...config, Labels: { ...config.Labels, ...Object.fromEntries(pairs(rest, line)) } };
    case 'EXPOSE':
      return { ...config, ExposedPorts: { ...config.ExposedPorts, ...keys(words(rest).map(withProtocol)) } };
    case 'VOLUME':
      return { ...config, Volumes: { ...config.Volumes, ...keys(jsonWords(rest) ?? words(rest)) } };
    case 'HEALTHCHECK':
      return { ...config, Healthcheck: healthcheck(rest, line) };
    case 'ONBUILD':
      return { ...config, OnBuild: [...(config.OnBuild ?? []), rest] };
    case 'SHELL':
      return { ...config, Shell: jsonWords(rest) ?? badLine(line) };
    case 'STOPSIGNAL':
      return { ...config, StopSignal: rest };
    case 'USER':
      return { ...config, User: rest };
    default:
      return { ...config, WorkingDir: rest.startsWith('/') ? rest : `${config.WorkingDir || ''}/${rest}` };
  }
}

function command(text: string, shell: readonly string[]): string[] {
  return jsonWords(text) ?? [...shell, text];
}

function jsonWords(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((word) => typeof word === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Splits at white space outside quotes; quotes and backslashes are taken off. */
function words(text: string): string[] {
  const found = text.match(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/g) ?? [];
  return found.map((word) =>
    word.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g, (_, double?: string, single?: string, plain?: string) =>
      double === undefined ? (single ?? plain ?? '') : double.replace(/\\(["\\$])/g, '$1'),
    ),
  );
}

function pairs(text: string, line: string): [string, string][] {
  const list = words(text);
  const [first = ''] = list;
  // The old form `ENV name the whole rest`.
  if (!first.includes('=')) return [[first, text.slice(first.length).trim()]];
  return list.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 1) return badLine(line);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

function setVariables(env: readonly string[], changes: readonly [string, string][]): string[] {
  const merged = new Map(env.map((entry) => [entry.split('=', 1)[0] ?? '', entry]));
  for (const [name, value] of changes) merged.set(name, `${name}=${value}`);
  return [...merged.values()];
}

function healthcheck(text: string, line: string): NonNullable<ImageRunConfig['Healthcheck']> {
  if (/^none$/i.test(text)) return { Test: ['NONE'] };
  const match = /^CMD\s+(.*)$/is.exec(text);
  if (!match) return badLine(line);
  const list = jsonWords(match[1] ?? '');
  return { Test: list ? ['CMD', ...list] : ['CMD-SHELL', match[1] ?? ''] };
}

function withProtocol(port: string): string {
  return port.includes('/') ? port.toLowerCase() : `${port}/tcp`;
}

function keys(names: readonly string[]): Record<string, Record<string, never>> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function badLine(line: string): never {
  throw invalid(`cannot understand the change "${line}"`);
}
