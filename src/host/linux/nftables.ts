import koffi from 'koffi';
import { Semaphore, unavailable } from '#base';
import type { BaseChain, Firewall } from '../firewall.ts';
import type { NetworkNamespaces } from '../host.ts';
import { FirewallWatch } from './firewall-watch.ts';

// nftables/libnftables.h
const NFT_CTX_OUTPUT_JSON = 1 << 4;

type Calls = ReturnType<typeof loadLibrary>;

/**
 * The firewall through libnftables, the library that nft(8) itself is a shell for: one transaction takes 0.4-0.6 ms in
 * process where `nft -f -` takes 4 ms. A context holds a netlink socket, so it belongs to the network namespace in
 * which it was made; this process's own is kept, others live for one call. A transaction runs on a pool thread (the first
 * one with NAT in a new namespace takes the kernel 15 ms), one at a time per context.
 */
export function createFirewall(namespaces: Pick<NetworkNamespaces, 'enter'>): Firewall {
  let calls: Calls | undefined;
  let home: unknown;
  const turn = new Semaphore(1);
  const run = async (script: string, json: boolean, netns?: string): Promise<string> => {
    calls ??= loadLibrary();
    const loaded = calls;
    if (netns === undefined) {
      home ??= newContext(loaded);
      const context = home;
      return turn.run(() => execute(loaded, { context, script, json }));
    }
    const context = namespaces.enter(netns, () => newContext(loaded));
    try {
      return await execute(loaded, { context, script, json });
    } finally {
      loaded.free(context);
    }
  };
  return {
    async load(ruleset, netns) {
      await run(ruleset, false, netns);
    },
    async tables(netns) {
      return parse(await run('list tables', true, netns)).flatMap(({ table }) =>
        table ? [`${table.family} ${table.name}`] : [],
      );
    },
    async baseChains(netns) {
      return parse(await run('list chains', true, netns)).flatMap(({ chain }) =>
        chain?.hook ? [baseChain(chain)] : [],
      );
    },
    async contents(family, table, netns) {
      const names = await this.tables(netns);
      const objects = names.includes(`${family} ${table}`)
        ? parse(await run(`list table ${family} ${table}`, true, netns))
        : [];
      return {
        chains: objects.flatMap(({ chain }) => (chain ? [String(chain.name)] : [])),
        rules: objects.flatMap(({ rule }) =>
          rule ? [{ chain: String(rule.chain), handle: Number(rule.handle), comment: String(rule.comment ?? '') }] : [],
        ),
      };
    },
    async table(family, name, netns) {
      const names = await this.tables(netns);
      return names.includes(`${family} ${name}`) ? await run(`list table ${family} ${name}`, false, netns) : undefined;
    },
    watch: (listener) => new FirewallWatch(listener),
  };
}

function loadLibrary() {
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load('libnftables.so.1');
  } catch (error) {
    throw unavailable('libnftables.so.1 cannot be loaded: install the package nftables', { cause: error });
  }
  return {
    create: library.func('void *nft_ctx_new(uint32_t flags)'),
    free: library.func('void nft_ctx_free(void *context)'),
    bufferOutput: library.func('int nft_ctx_buffer_output(void *context)'),
    bufferError: library.func('int nft_ctx_buffer_error(void *context)'),
    setOutput: library.func('void nft_ctx_output_set_flags(void *context, uint32_t flags)'),
    output: library.func('str nft_ctx_get_output_buffer(void *context)'),
    error: library.func('str nft_ctx_get_error_buffer(void *context)'),
    run: library.func('int nft_run_cmd_from_buffer(void *context, str script)'),
  } as const;
}

function newContext(calls: Calls): unknown {
  const context: unknown = calls.create(0);
  calls.bufferOutput(context);
  calls.bufferError(context);
  return context;
}

async function execute(calls: Calls, request: { context: unknown; script: string; json: boolean }): Promise<string> {
  const { context, script, json } = request;
  calls.setOutput(context, json ? NFT_CTX_OUTPUT_JSON : 0);
  const result = await new Promise<number>((resolve, reject) => {
    calls.run.async(context, `${script}\n`, (error: Error | null, code: number) => {
      if (error) reject(error);
      else resolve(code);
    });
  });
  const output = String(calls.output(context) ?? '');
  const error = String(calls.error(context) ?? '').trim();
  if (result !== 0) throw unavailable(`nftables refused the rules: ${error}`, { details: { error } });
  return output;
}

type JsonObject = Readonly<Record<string, string | number | undefined>>;

function parse(
  output: string,
): { readonly table?: JsonObject; readonly chain?: JsonObject; readonly rule?: JsonObject }[] {
  if (output.trim() === '') return [];
  return (JSON.parse(output) as { nftables: { table?: JsonObject; chain?: JsonObject; rule?: JsonObject }[] }).nftables;
}

function baseChain(chain: JsonObject): BaseChain {
  return {
    family: String(chain.family),
    table: String(chain.table),
    chain: String(chain.name),
    hook: String(chain.hook),
    priority: Number(chain.prio),
    policy: String(chain.policy ?? 'accept'),
  };
}
