/** How far a step is. */
export interface ProgressDetail {
  current?: number;
  total?: number;
  start?: number;
  hidecounts?: boolean;
  units?: string;
}

/** One line of a pull, push, load, import or build stream. */
export interface ProgressMessage {
  stream?: string;
  status?: string;
  progressDetail?: ProgressDetail;
  /** Deprecated: the bar as text. */
  progress?: string;
  /** Short layer id, or tag. */
  id?: string;
  errorDetail?: { code?: number; message: string };
  /** Deprecated: the message of errorDetail. */
  error?: string;
  aux?: unknown;
}
