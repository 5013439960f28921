/** Where a socket listens or reserves. `sctp` only reserves. */
export interface SocketAddress {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** IPv4 or IPv6 address in text; `::` means IPv6 only. */
  readonly address: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
}

/** A bound socket as a file descriptor; whoever has it closes it. */
export interface BoundSocket {
  readonly fd: number;
  /** The port it has, also when the kernel chose it. */
  readonly port: number;
}

/** Sockets that Node cannot make itself: bound but not listening, or inside another network namespace. */
export interface Sockets {
  /**
   * Binds, and for TCP and SCTP listens: only a listening socket keeps a port from everybody while a port in
   * TIME_WAIT still counts as free. Nothing accepts until the descriptor is handed to a server.
   * Throws `conflict` (details.errno EADDRINUSE) for a taken port, `invalid` for an address that the host has not
   * (EADDRNOTAVAIL), `not-implemented` for a protocol that the kernel has not. Call it inside
   * {@link NetworkNamespaces.enter} to bind there.
   */
  bind(address: SocketAddress): BoundSocket;
  /** Closes a descriptor that {@link Sockets.bind} gave. */
  close(fd: number): void;
}
