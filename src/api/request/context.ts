import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { apiVersion } from '#api-types';
import type { UpgradedConnection } from '../server/upgrade.ts';

/** What is known of a request beside its text. */
export interface RequestContext {
  /** Version of the path prefix; the newest where there was none. */
  readonly version: string;
  /** Set when the client asked to take the connection over. */
  readonly upgraded?: UpgradedConnection;
}

const contexts = new WeakMap<IncomingMessage, RequestContext>();
const newest: RequestContext = { version: apiVersion };

/** Adds to what is known of a request. */
export function extendContext(raw: IncomingMessage, facts: Partial<RequestContext>): void {
  contexts.set(raw, { ...newest, ...contexts.get(raw), ...facts });
}

/** What is known of a request. */
export function contextOf(request: FastifyRequest): RequestContext {
  return contexts.get(request.raw) ?? newest;
}

/** True when `left` is an older API version than `right` (`1.24` < `1.51`). */
export function olderThan(left: string, right: string): boolean {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number);
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number);
  return leftMajor === rightMajor ? leftMinor < rightMinor : leftMajor < rightMajor;
}

/** True when the client speaks an API older than `version`. */
export function clientOlderThan(request: FastifyRequest, version: string): boolean {
  return olderThan(contextOf(request).version, version);
}

/** The request's body as bytes, also where the connection was upgraded. */
export function bodyOf(request: FastifyRequest): Readable {
  const upgraded = contextOf(request).upgraded;
  return upgraded === undefined ? request.raw : Readable.from(upgraded.body.length > 0 ? [upgraded.body] : []);
}

/** A signal that aborts when the client goes before its answer is complete. */
export function clientGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const response = reply.raw;
  if (response.destroyed) controller.abort();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}
