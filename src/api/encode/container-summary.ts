import type { ContainerSummary, PortSummary } from '#api-types';
import type { Container, ContainerSize } from '#engine';
import { encodeMountPoints } from './container-inspect.ts';
import { encodeNetworks } from './endpoint.ts';
import { formatSeconds, humanDuration } from './time.ts';

/** What a list entry needs beside the container. */
export interface SummaryFacts {
  /** ms since the epoch. */
  readonly now: number;
  /** True when the name the container was made with still means the same image. */
  readonly imageNamed: boolean;
  readonly size?: ContainerSize;
}

/** One entry of GET /containers/json. */
export function encodeContainerSummary(container: Container, facts: SummaryFacts): ContainerSummary {
  return {
    Id: container.id,
    Names: [`/${container.name}`],
    Image: facts.imageNamed ? container.image : container.imageId,
    ImageID: container.imageId,
    Command: commandLine(container),
    Created: formatSeconds(container.createdAt),
    Ports: portSummaries(container),
    ...(facts.size === undefined ? {} : { SizeRw: facts.size.rw, SizeRootFs: facts.size.rootFs }),
    Labels: { ...container.labels },
    State: container.state.status,
    Status: statusText(container, facts.now),
    HostConfig: {
      NetworkMode: container.host.networkMode,
      ...(Object.keys(container.host.annotations).length > 0 ? { Annotations: { ...container.host.annotations } } : {}),
    },
    NetworkSettings: { Networks: encodeNetworks(container) },
    Mounts: encodeMountPoints(container.mountPoints),
  };
}

const rendered = new WeakMap<Container, { readonly image: string; readonly status: string; readonly json: string }>();

/**
 * {@link encodeContainerSummary} as JSON, kept with the container until it or its status text changes: in a list of
 * hundreds most are as they were.
 */
export function renderContainerSummary(container: Container, facts: SummaryFacts): string {
  if (facts.size !== undefined) return JSON.stringify(encodeContainerSummary(container, facts));
  const status = statusText(container, facts.now);
  const image = facts.imageNamed ? container.image : container.imageId;
  const known = rendered.get(container);
  if (known?.status === status && known.image === image) return known.json;
  const json = JSON.stringify(encodeContainerSummary(container, facts));
  rendered.set(container, { image, status, json });
  return json;
}

function commandLine({ process }: Container): string {
  const [path = '', ...args] = [...(process.entrypoint ?? []), ...(process.cmd ?? [])];
  return [path, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ');
}

function portSummaries(container: Container): PortSummary[] {
  if (container.sandbox === undefined) return [];
  const published = container.ports.map((port) => ({
    IP: port.hostAddress,
    PrivatePort: port.containerPort,
    ...(port.hostPort === 0 ? {} : { PublicPort: port.hostPort }),
    Type: port.protocol,
  }));
  const bound = new Set(container.ports.map((port) => `${port.containerPort}/${port.protocol}`));
  const exposed = container.exposedPorts
    .filter((port) => !bound.has(port))
    .map((port) => {
      const [number, type = 'tcp'] = port.split('/');
      return { PrivatePort: Number(number), Type: type };
    });
  return [...published, ...exposed];
}

/** The STATUS column of `docker ps`. `now` in ms since the epoch. */
export function statusText({ state }: Container, now: number): string {
  const since = (time: number | undefined) => humanDuration(Math.max(0, now - (time ?? now)));
  switch (state.status) {
    case 'running': {
      const health = state.health?.status;
      const suffix = health === undefined ? '' : health === 'starting' ? ' (health: starting)' : ` (${health})`;
      return `Up ${since(state.startedAt)}${suffix}`;
    }
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    case 'created':
      return 'Created';
    case 'exited':
      return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
  }
}
