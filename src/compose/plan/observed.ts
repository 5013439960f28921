import type { ContainerStateName, MountPoint } from '#api-types';

/** A container of the project as the engine lists it. */
export interface ObservedContainer {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly service: string;
  /** 0 where the label is missing. */
  readonly number: number;
  readonly oneOff: boolean;
  readonly state: ContainerStateName;
  /** `Up 5 minutes (healthy)`. */
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As it was asked for. */
  readonly image: string;
  readonly imageId: string;
  /** Names of the networks it is on to their ids; the id is empty while it has never run. */
  readonly networks: Readonly<Record<string, string>>;
  readonly mounts: readonly MountPoint[];
  /** Seconds since the epoch. */
  readonly created: number;
}

/** A network of the engine that the project names, or that carries its label. */
export interface ObservedNetwork {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A volume of the engine that the project names, or that carries its label. */
export interface ObservedVolume {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What there is of a project, from one look at the engine. */
export interface Observed {
  readonly containers: readonly ObservedContainer[];
  readonly networks: readonly ObservedNetwork[];
  readonly volumes: readonly ObservedVolume[];
}
