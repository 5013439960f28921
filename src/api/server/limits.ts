/** Largest body of a request that also upgrades its connection, in bytes: such bodies are read before routing. */
export const maxUpgradeBody = 8 * 1024 * 1024;
