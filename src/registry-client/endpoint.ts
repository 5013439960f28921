/** One registry API as it can be reached. */
export interface Endpoint {
  /** `host[:port]` of the API. */
  readonly host: string;
  /** Path before `/v2/`, for mirrors under a path; no slash at its end. */
  readonly prefix: string;
  /** Ways to try, best first; any but the last is given up on a connection error. */
  readonly schemes: readonly ('https' | 'http')[];
  /** Take any certificate. */
  readonly insecure: boolean;
}
