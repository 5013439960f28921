/** A network interface of one namespace, as far as the engine cares. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** `bridge`, `veth`, ...; empty for physical ones. */
  readonly kind: string;
  /** Index of the bridge that it is a port of, or 0. */
  readonly master: number;
  /** Group number, by which an engine knows its own links. */
  readonly group: number;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
}

/** A destination that the host already knows a way to. */
export interface Route {
  /** CIDR; `0.0.0.0/0` and `::/0` are default routes. */
  readonly destination: string;
  /** Index of the interface, or 0. */
  readonly device: number;
}

/** One change to links, addresses or routes, as data. Interfaces are named; `netns` values are pinned namespace files. */
export type LinkChange =
  | {
      readonly op: 'add-bridge';
      readonly name: string;
      readonly group: number;
      readonly mac?: string;
      readonly mtu?: number;
    }
  | {
      readonly op: 'add-veth';
      /** The end that stays here; the other is made inside `peerNetns`, so it never shows up here. */
      readonly name: string;
      readonly group: number;
      readonly peerName: string;
      readonly peerNetns: string;
      readonly peerMac: string;
      readonly mtu?: number;
    }
  | {
      readonly op: 'add-macvlan';
      /** Made on `parent` here and moved into `peerNetns` at birth. */
      readonly parent: string;
      readonly peerName: string;
      readonly peerNetns: string;
      readonly peerMac: string;
      readonly mode: 'bridge' | 'private' | 'vepa' | 'passthru';
    }
  | {
      readonly op: 'add-ipvlan';
      /** As for `add-macvlan`; it has its parent's hardware address. */
      readonly parent: string;
      readonly peerName: string;
      readonly peerNetns: string;
      readonly mode: 'l2' | 'l3' | 'l3s';
      readonly isolation: 'bridge' | 'private' | 'vepa';
    }
  | { readonly op: 'add-dummy'; readonly name: string; readonly group: number }
  | {
      readonly op: 'add-vlan';
      readonly name: string;
      readonly group: number;
      readonly parent: string;
      /** 1 to 4094 (IEEE 802.1Q). */
      readonly vlan: number;
    }
  | {
      readonly op: 'set';
      readonly name: string;
      readonly up?: boolean;
      /** Name of a bridge; empty to leave it. */
      readonly master?: string;
      readonly newName?: string;
      readonly mac?: string;
      readonly mtu?: number;
      /** Whether neighbours are looked up; without, all frames go to the link's own hardware address. */
      readonly arp?: boolean;
      /** Of a bridge port: frames may leave by the port they came from. */
      readonly hairpin?: boolean;
      /** Of a bridge port: no frames to or from other isolated ports. */
      readonly isolated?: boolean;
    }
  | { readonly op: 'delete'; readonly name: string }
  | { readonly op: 'add-address' | 'delete-address'; readonly name: string; readonly address: string }
  | {
      readonly op: 'add-route' | 'delete-route';
      readonly name: string;
      /** CIDR; left out for the default route. */
      readonly destination?: string;
      readonly gateway?: string;
      readonly family: 4 | 6;
    };

/**
 * Group of links that are about to be deleted together, of whatever engine; no engine's own group has this number. One
 * that is found in it was left there by a process that died meanwhile.
 */
export const doomedLinkGroup = 0x63000000;

/** Links, addresses and routes of a network namespace: this process's, or the one pinned at `netns`. */
export interface Links {
  /** All links. */
  list(netns?: string): Promise<Link[]>;
  /** All unicast routes of the main table, both families. */
  routes(netns?: string): Promise<Route[]>;
  /** CIDR addresses of a link. Throws `not-found`. */
  addresses(name: string, netns?: string): Promise<string[]>;
  /**
   * Makes the changes in order. When one fails, those after it may have been made all the same: the caller undoes.
   * Throws `not-found` for a link that is not there, `conflict` for one that is, else `unavailable`; `details.errno` has
   * the errno name. Deleting what is not there is a success.
   */
  apply(changes: readonly LinkChange[], netns?: string): Promise<void>;
}
