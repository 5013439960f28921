import type { IncomingMessage } from 'node:http';
import type { TokenAnswer, TokenRequest, TokenService } from '../auth/token-service.ts';
import { fault } from '../faults.ts';
import { readBody, wrongMethod } from './exchange.ts';

/** Where the registry's own token service answers. */
export const tokenPath = '/auth/token';

/** Answers a request for a token: GET with Basic credentials, or the OAuth2 form by POST. */
export async function answerToken(
  service: TokenService,
  request: IncomingMessage,
  query: URLSearchParams,
): Promise<TokenAnswer> {
  if (request.method === 'POST') return service.issue(readForm(await readFormBody(request)));
  if (request.method !== 'GET') throw wrongMethod(request.method ?? '');
  return service.issue({
    service: query.get('service') ?? undefined,
    scopes: query.getAll('scope'),
    offline: query.get('offline_token') === 'true',
    authorization: request.headers.authorization,
  });
}

async function readFormBody(request: IncomingMessage): Promise<URLSearchParams> {
  const tooLarge = fault('UNAUTHORIZED', 'the form is too large');
  return new URLSearchParams((await readBody(request, 64 * 1024, tooLarge)).toString('utf8'));
}

function readForm(form: URLSearchParams): TokenRequest {
  const type = form.get('grant_type');
  const common = {
    service: form.get('service') ?? undefined,
    scopes: form.getAll('scope'),
    offline: form.get('access_type') === 'offline',
  };
  if (type === 'refresh_token') return { ...common, grant: { type, token: form.get('refresh_token') ?? '' } };
  if (type === 'password') {
    return { ...common, grant: { type, user: form.get('username') ?? '', password: form.get('password') ?? '' } };
  }
  throw fault('UNAUTHORIZED', 'grant_type must be password or refresh_token');
}
