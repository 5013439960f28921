/** Longest secret that a build may have, as BuildKit has it. Bytes. */
export const maxSecretSize = 500 * 1024;
