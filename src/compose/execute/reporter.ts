/** How a line of status is shown. */
export type StatusKind = 'working' | 'done' | 'warning' | 'error';

/** What becomes of one resource, as it happens. */
export interface StatusEvent {
  /** `Container app-web-1`, `Network app_default`, a service's name while its image is pulled. */
  readonly resource: string;
  /** The resource that this is a part of, such as the service whose image's layer it is. */
  readonly parent?: string;
  /** What is done to it, where the status alone does not say, such as `copy a.txt to app-web-1:/tmp`. */
  readonly text?: string;
  /** `Creating`, `Created`, an error's text. */
  readonly status: string;
  readonly kind: StatusKind;
}

/** Shows what goes on. Calls never fail and return at once. */
export interface Reporter {
  status(event: StatusEvent): void;
  warn(message: string): void;
  /** Shows whole lines of another program, such as a build's. */
  print(text: string): void;
}
