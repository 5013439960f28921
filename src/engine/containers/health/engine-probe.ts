import { request } from 'node:http';
import { connect } from 'node:net';
import { invalid, messageOf } from '#base';

/** A probe that the engine itself makes: no process runs in the container. */
export type EngineProbe =
  | { readonly kind: 'tcp'; readonly port: number }
  | { readonly kind: 'http'; readonly port: number; readonly path: string };

/** What a probe found: 0 is healthy. */
export interface ProbeResult {
  readonly exitCode: number;
  readonly output: string;
}

const longestOutput = 4096;

/** Reads the word after `TCP` or `HTTP`: `PORT`, and for HTTP `PORT[/PATH]`. Throws `invalid` naming it. */
export function parseEngineProbe(kind: 'TCP' | 'HTTP', text: string): EngineProbe {
  const match = /^:?(\d{1,5})(\/\S*)?$/.exec(text);
  const port = Number(match?.[1]);
  if (!match || port < 1 || port > 65_535 || (kind === 'TCP' && match[2] !== undefined)) {
    const form = kind === 'TCP' ? 'PORT' : 'PORT[/PATH]';
    throw invalid(`invalid ${kind.toLowerCase()} health check "${text}": give it as ${form}`);
  }
  return kind === 'TCP' ? { kind: 'tcp', port } : { kind: 'http', port, path: match[2] ?? '/' };
}

/** Connects to the container at `address`; HTTP is healthy from status 200 to 399. Never throws. */
export async function probe(check: EngineProbe, address: string, timeout: number): Promise<ProbeResult> {
  const signal = AbortSignal.timeout(timeout);
  try {
    if (check.kind === 'http') return await askHttp(check, address, signal);
    await openTcp(check.port, address, signal);
    return { exitCode: 0, output: `connected to port ${check.port}` };
  } catch (error) {
    if (signal.aborted) return { exitCode: -1, output: `Health check exceeded timeout (${timeout / 1000}s)` };
    return { exitCode: 1, output: messageOf(error) };
  }
}

function openTcp(port: number, host: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

function askHttp(
  { port, path }: { readonly port: number; readonly path: string },
  host: string,
  signal: AbortSignal,
): Promise<ProbeResult> {
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path, signal, agent: false, headers: { 'user-agent': 'berth-health' } });
    asked.once('error', reject);
    asked.once('response', (response) => {
      const { statusCode = 0 } = response;
      const chunks: Buffer[] = [];
      let size = 0;
      const done = () => {
        response.destroy();
        const text = Buffer.concat(chunks).toString('utf8').slice(0, longestOutput);
        resolve({ exitCode: statusCode >= 200 && statusCode < 400 ? 0 : 1, output: `HTTP ${statusCode}\n${text}` });
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        // A body without end must not hold the probe.
        if (size >= longestOutput) done();
      });
      response.once('end', done);
      response.once('error', reject);
    });
    asked.end();
  });
}
