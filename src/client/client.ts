import { ContainersClient } from './containers.ts';
import type { Endpoint } from './endpoint.ts';
import { ExecClient } from './exec.ts';
import { ImagesClient } from './images.ts';
import { NetworksClient } from './networks.ts';
import { ProjectsClient } from './projects.ts';
import type { BuildSession, SessionOffer } from './session.ts';
import { SystemClient } from './system.ts';
import { Transport } from './transport.ts';
import { VolumesClient } from './volumes.ts';

/** Everything a daemon can be asked, by noun. Nothing is connected until the first call. */
export class Client {
  readonly transport: Transport;
  readonly containers: ContainersClient;
  readonly exec: ExecClient;
  readonly images: ImagesClient;
  readonly networks: NetworksClient;
  readonly volumes: VolumesClient;
  readonly system: SystemClient;
  readonly projects: ProjectsClient;

  constructor(endpoint: Endpoint, headers: Readonly<Record<string, string>> = {}) {
    this.transport = new Transport(endpoint, headers);
    this.containers = new ContainersClient(this.transport);
    this.exec = new ExecClient(this.transport);
    this.images = new ImagesClient(this.transport);
    this.networks = new NetworksClient(this.transport);
    this.volumes = new VolumesClient(this.transport);
    this.system = new SystemClient(this.transport);
    this.projects = new ProjectsClient(this.transport);
  }

  /** Opens a session that answers what a build asks of its client; see {@link openSession}. */
  async openSession(offer: SessionOffer, signal?: AbortSignal): Promise<BuildSession> {
    // Loaded only here: few commands build, and gRPC takes time to load.
    const { openSession } = await import('./session.ts');
    return openSession(this.transport, offer, signal);
  }

  /** Ends idle connections. */
  close(): void {
    this.transport.close();
  }
}
