import type { PortSummary } from '#api-types';

interface Run {
  first: number;
  last: number;
}

/** Published and exposed ports as `ps` shows them: `0.0.0.0:8080->80/tcp, 443/tcp`, neighbours joined to ranges. */
export function portsText(ports: readonly PortSummary[]): string {
  const sorted = [...ports].sort(
    (a, b) =>
      a.PrivatePort - b.PrivatePort ||
      compare(a.IP ?? '', b.IP ?? '') ||
      (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
      compare(a.Type, b.Type),
  );
  const runs = new Map<string, Run>();
  const order: string[] = [];
  const result: string[] = [];
  const mapped: string[] = [];
  for (const port of sorted) {
    let key = port.Type;
    if (port.IP) {
      if (port.PublicPort !== port.PrivatePort) {
        mapped.push(`${host(port.IP)}:${port.PublicPort ?? 0}->${port.PrivatePort}/${port.Type}`);
        continue;
      }
      key = `${port.IP}/${port.Type}`;
    }
    const run = runs.get(key);
    if (run === undefined) {
      runs.set(key, { first: port.PrivatePort, last: port.PrivatePort });
      order.push(key);
    } else if (port.PrivatePort === run.last + 1) run.last = port.PrivatePort;
    else {
      result.push(runText(key, run));
      runs.set(key, { first: port.PrivatePort, last: port.PrivatePort });
    }
  }
  for (const key of order) {
    const run = runs.get(key);
    if (run) result.push(runText(key, run));
  }
  return [...result, ...mapped].join(', ');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function host(ip: string): string {
  return ip.includes(':') ? `[${ip}]` : ip;
}

function runText(key: string, run: Run): string {
  const range = run.first === run.last ? String(run.first) : `${run.first}-${run.last}`;
  const slash = key.lastIndexOf('/');
  if (slash === -1) return `${range}/${key}`;
  return `${host(key.slice(0, slash))}:${range}->${range}/${key.slice(slash + 1)}`;
}
