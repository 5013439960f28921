import { hostname, userInfo } from 'node:os';

/** Who runs this client, for others to read: `anna@laptop`. */
export function currentUser(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A uid without an entry in the user database has no name.
    return hostname();
  }
}
