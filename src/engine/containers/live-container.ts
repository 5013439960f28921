import type { Sandbox } from '#network';
import type { Task } from '#runtime';
import { WaitingAttaches } from './attach/waiting-attaches.ts';
import type { Container, ContainerState, MountPoint, MountSettings } from './container.ts';
import { ExitWaits } from './exit-waits.ts';
import type { SecretPlace } from './secrets/secret-files.ts';

/** A mount with how it was asked for: what start needs beyond what inspect shows. */
export interface PlannedMount {
  readonly point: MountPoint;
  readonly asked: MountSettings;
}

/** What is recorded of a container beside its state. Changes only by update, rename, connect, disconnect and secrets. */
export interface ContainerSettings
  extends Omit<Container, 'state' | 'ports' | 'sandbox' | 'execIds' | 'mountPoints' | 'networks'> {
  readonly mounts: readonly PlannedMount[];
  readonly networks: Readonly<Record<string, Pick<Container['networks'][string], 'request'>>>;
  /** Snapshot key of the image's layers; undefined for an image without any. */
  readonly parentSnapshot: string | undefined;
  /** Id of the container beside which it runs until it takes its place. */
  readonly standbyFor?: string | undefined;
  /** Secrets it has been given; their contents are no settings. */
  readonly secrets?: readonly SecretPlace[];
}

/** State of a container that never ran. */
export const initialState: ContainerState = {
  status: 'created',
  pid: 0,
  exitCode: 0,
  oomKilled: false,
  error: '',
  restartCount: 0,
  stoppedByUser: false,
};

/** True for a state with a process in it. */
export function isUp(state: ContainerState): boolean {
  return state.status === 'running' || state.status === 'paused';
}

/**
 * One container in memory. `settings` and `state` are immutable values that the registry replaces after it recorded
 * them; the rest lives as long as the daemon or the process does.
 */
export class LiveContainer {
  readonly id: string;
  settings: ContainerSettings;
  state: ContainerState;
  /** The running process; undefined while there is none. */
  task: Task | undefined;
  /** Its own network sandbox while it runs. */
  sandbox: Sandbox | undefined;
  readonly attaches = new WaitingAttaches();
  readonly waits = new ExitWaits();
  readonly execIds = new Set<string>();
  /** What the last process left is being removed: mounts, sandbox, task. A start waits for it. */
  cleanup: Promise<void> = Promise.resolve();
  /** A restart by the user is under way: its exit does not remove it, whatever --rm says. */
  restarting = false;
  /** A removal has begun: nothing may start it any more. */
  removing = false;
  /** The last view and what it was made from. */
  #made:
    | (Pick<LiveContainer, 'settings' | 'state' | 'sandbox' | 'removing'> & { readonly view: Container })
    | undefined;

  constructor(settings: ContainerSettings, state: ContainerState) {
    this.id = settings.id;
    this.settings = settings;
    this.state = state;
  }

  get name(): string {
    return this.settings.name;
  }

  /** A snapshot for readers: later changes do not show in it. The same object as before where nothing has changed. */
  view(): Container {
    const { settings, state, sandbox, removing, execIds } = this;
    const made = this.#made;
    if (
      made?.settings === settings &&
      made.state === state &&
      made.sandbox === sandbox &&
      made.removing === removing &&
      made.view.execIds.length === execIds.size &&
      made.view.execIds.every((id) => execIds.has(id))
    ) {
      return made.view;
    }
    const view = this.#makeView();
    this.#made = { settings, state, sandbox, removing, view };
    return view;
  }

  #makeView(): Container {
    const { mounts, networks, parentSnapshot: _, standbyFor: __, secrets: ___, ...settings } = this.settings;
    const { sandbox, state } = this;
    const active = new Map(sandbox?.endpoints.map((endpoint) => [endpoint.networkName, endpoint]));
    return {
      ...settings,
      state: this.removing ? { ...state, status: 'removing' } : state,
      mountPoints: mounts.map((mount) => mount.point),
      networks: Object.fromEntries(
        Object.entries(networks).map(([name, { request }]) => {
          const endpoint = active.get(name);
          return [name, endpoint ? { request, networkId: endpoint.networkId, active: endpoint } : { request }];
        }),
      ),
      ports: sandbox?.ports ?? [],
      ...(sandbox ? { sandbox: { id: sandbox.id, path: sandbox.netnsPath } } : {}),
      execIds: [...this.execIds],
    };
  }

  /** Attributes that Docker puts on every event of a container. */
  get eventAttributes(): Record<string, string> {
    return { ...this.settings.labels, image: this.settings.image, name: this.settings.name };
  }
}
