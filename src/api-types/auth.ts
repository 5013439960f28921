/** Credentials of one registry: body of POST /auth, and base64url JSON in X-Registry-Auth. */
export interface AuthConfig {
  username?: string;
  password?: string;
  /** base64 of `username:password`. */
  auth?: string;
  email?: string;
  serveraddress?: string;
  identitytoken?: string;
  registrytoken?: string;
}

/** X-Registry-Config of a build: by registry. */
export type AuthConfigs = Record<string, AuthConfig>;

/** Answer of POST /auth. */
export interface AuthResponse {
  Status: string;
  IdentityToken: string;
}
