/** Which tracked connections are meant. */
export type ConnectionFilter =
  /** UDP that leads to this address, whatever address the client asked for. */
  | { readonly udpServer: string }
  /** UDP to this port of the host, in the family given. */
  | { readonly udpPort: number; readonly family: 4 | 6 };

/** The kernel's memory of connections, by which packets of a known one skip address translation rules. */
export interface Connections {
  /**
   * Forgets connections, so that their next packet meets the rules anew. What a kernel without connection tracking
   * has not, is a success. Throws `unavailable`.
   */
  forget(filter: ConnectionFilter): Promise<void>;
}
