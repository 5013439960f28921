import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Digest, digestOf, silentLogger } from '#base';
import { mediaTypes } from '#oci';
import { type AccessEntry, openRegistry, parseConfig, type RegistryServer } from '#registry-server';

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
}

/** What a test sends. */
export interface Sent {
  readonly body?: Uint8Array | string;
  readonly headers?: Record<string, string>;
}

/** A registry in a directory of its own, on a free port. Dispose of it. */
export class TestRegistry implements AsyncDisposable {
  readonly data: string;
  readonly log: AccessEntry[] = [];
  #server: RegistryServer | undefined;
  #port = 0;

  constructor(data: string) {
    this.data = data;
  }

  /** Starts one; `settings` are those of the config file. */
  static async start(settings: Record<string, unknown> = {}): Promise<TestRegistry> {
    const registry = new TestRegistry(await mkdtemp(join(tmpdir(), 'registry-server-')));
    await registry.open(settings);
    return registry;
  }

  /** Opens the registry on its directory, at the port it had before. */
  async open(settings: Record<string, unknown> = {}): Promise<void> {
    const config = parseConfig({ garbage: { interval: '0s' }, ...settings }, 'test');
    this.#server = await openRegistry(this.data, config, {
      logger: silentLogger,
      accessLog: (entry) => this.log.push(entry),
    });
    ({ port: this.#port } = await this.#server.listen({ host: '127.0.0.1', port: this.#port }));
  }

  get server(): RegistryServer {
    if (this.#server === undefined) throw new Error('the registry is not open');
    return this.#server;
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** Closes the registry and keeps its directory. */
  async close(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await rm(this.data, { recursive: true, force: true });
  }

  /** Sends a request and reads the answer. */
  async send(method: string, path: string, sent: Sent = {}): Promise<Answer> {
    const { body, headers } = sent;
    const response = await fetch(`http://${this.host}${path}`, {
      method,
      redirect: 'manual',
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, bytes, text: bytes.toString() };
  }

  /** Pushes a blob in one request and returns its descriptor. */
  async pushBlob(repository: string, content: string | Buffer, headers: Record<string, string> = {}) {
    const bytes = Buffer.from(content);
    const digest = digestOf(bytes);
    const answer = await this.send('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, {
      body: bytes,
      headers: { ...headers, 'content-type': 'application/octet-stream' },
    });
    if (answer.status !== 201) throw new Error(`blob push: ${answer.status} ${answer.text}`);
    return { mediaType: mediaTypes.ociLayerGzip, digest, size: bytes.length };
  }

  /** Pushes a manifest under a tag or its digest. */
  pushManifest(repository: string, target: string, manifest: unknown, type: string = mediaTypes.ociManifest) {
    const body = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
    return this.send('PUT', `/v2/${repository}/manifests/${target}`, { body, headers: { 'content-type': type } });
  }

  /** Pushes an image of one small layer under a tag; `salt` makes it another image. */
  async pushImage(repository: string, tag: string, salt = '', more: Record<string, unknown> = {}) {
    const config = { ...(await this.pushBlob(repository, `{"salt":"${salt}"}`)), mediaType: mediaTypes.ociConfig };
    const layer = await this.pushBlob(repository, `layer ${salt}`);
    const manifest = imageManifest(config, [layer], more);
    const answer = await this.pushManifest(repository, tag, manifest);
    if (answer.status !== 201) throw new Error(`manifest push: ${answer.status} ${answer.text}`);
    const bytes = JSON.stringify(manifest);
    return { digest: digestOf(bytes), bytes, size: bytes.length, config, layer };
  }
}

/** What points at a blob. */
export interface TestDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** An OCI image manifest. */
export function imageManifest(config: TestDescriptor, layers: TestDescriptor[], more: Record<string, unknown> = {}) {
  return { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers, ...more };
}

/** The code of the first error in an answer. */
export function codeOf(answer: Answer): string {
  return (JSON.parse(answer.text) as { errors: { code: string }[] }).errors[0]?.code ?? '';
}
