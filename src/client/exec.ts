import type { ExecCreateRequest, ExecInspect, ExecStartRequest, IdResponse } from '#api-types';
import type { Hijacked, Transport } from './transport.ts';

/** Docker's calls for processes started in running containers. */
export class ExecClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  create(container: string, body: ExecCreateRequest): Promise<IdResponse> {
    return this.#transport.json({ method: 'POST', path: `/containers/${encodeURIComponent(container)}/exec`, body });
  }

  /** Starts and joins the process. */
  attach(id: string, body: ExecStartRequest, signal?: AbortSignal): Promise<Hijacked> {
    return this.#transport.hijack({ method: 'POST', path: `/exec/${id}/start`, body, ...(signal ? { signal } : {}) });
  }

  /** Starts without joining. */
  startDetached(id: string): Promise<void> {
    return this.#transport.json({ method: 'POST', path: `/exec/${id}/start`, body: { Detach: true } });
  }

  inspect(id: string): Promise<ExecInspect> {
    return this.#transport.json({ method: 'GET', path: `/exec/${id}/json` });
  }

  resize(id: string, size: { rows: number; columns: number }): Promise<void> {
    return this.#transport.json({
      method: 'POST',
      path: `/exec/${id}/resize`,
      query: { h: size.rows, w: size.columns },
    });
  }
}
