import { messageOf } from '#base';
import type { Finding, HostProbe } from './doctor-probe.ts';

/** A base chain as `nft -j list chains` tells of it (libnftables-json(5)). */
interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

const name = 'forwarded packets';

/**
 * Whether something on the host may drop what containers send to or get from elsewhere: firewalld, chains of others on the
 * forward hook, iptables of the old kind. What berthd itself copes with is told, but nothing wrong.
 */
export async function checkForwarded(probe: Pick<HostProbe, 'output' | 'file'>): Promise<Finding> {
  const bad = (detail: string, remedy: string): Finding => ({ name, ok: false, essential: false, detail, remedy });
  let chains: Chain[];
  try {
    chains = forwardChains(await probe.output('nft', ['-j', 'list', 'chains']));
  } catch (error) {
    return bad(`cannot be looked at: ${messageOf(error).split('\n')[0]}`, 'run berth doctor as root, with nftables');
  }
  if (chains.some(({ table }) => table === 'firewalld')) {
    return bad(
      'firewalld rejects what no zone of its allows',
      'let the networks of containers be trusted: firewall-cmd --permanent --zone=trusted --add-source=172.16.0.0/12 && firewall-cmd --reload',
    );
  }
  const old = await oldPolicy(probe);
  if (old !== undefined) {
    return bad(
      `${old} FORWARD has policy DROP, which nft rules cannot reach`,
      `${old} -P FORWARD ACCEPT, or let all programs use iptables-nft (update-alternatives --config iptables)`,
    );
  }
  const dropping = chains.filter(({ policy }) => policy === 'drop').map((chain) => `${chain.family} ${chain.table}`);
  if (dropping.length === 0) return { name, ok: true, essential: false, detail: 'nobody drops them' };
  const who = [...new Set(dropping)].join(', ');
  const detail = `dropped by ${who}; berthd adds one rule there for its own, unless started with --forward-drop leave`;
  return { name, ok: true, essential: false, detail };
}

/** Chains of others that every forwarded IP packet must pass. */
function forwardChains(json: string): Chain[] {
  const { nftables } = JSON.parse(json) as { nftables: readonly { readonly chain?: Chain }[] };
  return nftables
    .flatMap(({ chain }) => (chain?.hook === 'forward' ? [chain] : []))
    .filter(({ family, table }) => ['ip', 'ip6', 'inet'].includes(family) && !table.startsWith('berth_'));
}

/** The program whose tables of the old kind drop; undefined where none does. */
async function oldPolicy(probe: Pick<HostProbe, 'output' | 'file'>): Promise<string | undefined> {
  for (const [program, tables] of [
    ['iptables-legacy', '/proc/net/ip_tables_names'],
    ['ip6tables-legacy', '/proc/net/ip6_tables_names'],
  ] as const) {
    // Only where the table is there already: to ask for it would make it.
    if (!probe.file(tables)?.split('\n').includes('filter')) continue;
    const rules = await probe.output(program, ['-S', 'FORWARD']).catch(() => '');
    if (rules.startsWith('-P FORWARD DROP')) return program;
  }
  return undefined;
}
