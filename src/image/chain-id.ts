import { type Digest, digestOf } from '#base';

/** The chain ids of a stack of layers, base first (OCI config.md, "Layer ChainID"). */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) chain.push(nextChainId(chain.at(-1), diffId));
  return chain;
}

/** The chain id of the layer `diffId` on top of the chain `parent`. */
export function nextChainId(parent: string | undefined, diffId: Digest): Digest {
  return parent === undefined ? diffId : digestOf(`${parent} ${diffId}`);
}
