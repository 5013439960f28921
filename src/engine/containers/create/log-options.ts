import { invalid, notImplemented, parseByteSize } from '#base';
import { checkJournald } from '../../logging/journald-destination.ts';
import { checkTag } from '../../logging/log-tag.ts';
import { readSyslogOptions } from '../../logging/syslog-options.ts';

const common = ['mode', 'max-buffer-size', 'labels', 'labels-regex', 'env', 'env-regex', 'tag'];
/** Options of the copy that Docker keeps for `logs`; ours is the log file itself. */
const cached = ['cache-disabled', 'cache-max-size', 'cache-max-file', 'cache-compress'];
const known: Readonly<Record<string, readonly string[]>> = {
  'json-file': ['max-size', 'max-file', 'compress', ...common],
  local: ['max-size', 'max-file', 'compress', ...common],
  syslog: [
    ...['syslog-address', 'syslog-facility', 'syslog-format', 'syslog-tls-ca-cert', 'syslog-tls-cert'],
    ...['syslog-tls-key', 'syslog-tls-skip-verify', 'max-size', 'max-file', ...cached, ...common],
  ],
  journald: ['max-size', 'max-file', ...cached, ...common],
};

/** A log driver and its options, as `--log-driver` and `--log-opt` give them; no driver stands for the default. */
export interface LogChoice {
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
}

/** What a container logs with: where it names no driver the daemon's, whose options fill in those it did not set. */
export function chooseLog(asked: LogChoice, daemon: LogChoice): LogChoice {
  const driver = asked.driver || daemon.driver;
  return { driver, options: driver === daemon.driver ? { ...daemon.options, ...asked.options } : asked.options };
}

/** Log drivers of Docker that there are not. */
const elsewhere = new Set(['gelf', 'fluentd', 'awslogs', 'splunk', 'gcplogs', 'etwlogs']);

/** Names of the log drivers there are. */
export const logDrivers = ['json-file', 'local', 'none', 'syslog', 'journald'];

/**
 * Checks `--log-driver` and `--log-opt`. Throws `not-implemented` for a driver of Docker that we lack, `invalid` for one
 * that nobody has, for an option the driver does not know, and for a value that is none.
 */
export function checkLog(log: LogChoice): void {
  const driver = log.driver || 'json-file';
  if (elsewhere.has(driver)) {
    throw notImplemented(
      `failed to initialize logging driver: ${driver} is not supported by this engine: ` +
        `use one of ${logDrivers.join(', ')} and collect the output with \`logs -f\``,
    );
  }
  if (!logDrivers.includes(driver)) {
    throw invalid(`error looking up logging plugin ${driver}: plugin "${driver}" not found`);
  }
  const options = known[driver];
  if (options === undefined) return;
  for (const name of Object.keys(log.options)) {
    if (!options.includes(name)) throw invalid(`unknown log opt '${name}' for ${driver} log driver`);
  }
  checkRotation(log.options);
  checkTag(log.options.tag ?? '');
  if (driver === 'syslog') readSyslogOptions(log.options);
  if (driver === 'journald') checkJournald();
}

function checkRotation(options: Readonly<Record<string, string>>): void {
  const { 'max-size': size, 'max-file': files, mode } = options;
  const failed = 'failed to initialize logging driver:';
  if (size !== undefined && size !== '-1') {
    if (!/^\d/.test(size)) throw invalid(`${failed} invalid size: '${size}'`);
    if (parseByteSize(size) <= 0) throw invalid(`${failed} max-size must be a positive number`);
  }
  if (files !== undefined) {
    if (!/^[+-]?\d+$/.test(files)) {
      throw invalid(`${failed} strconv.Atoi: parsing ${JSON.stringify(files)}: invalid syntax`);
    }
    if (Number(files) < 1) throw invalid(`${failed} max-file cannot be less than 1`);
  }
  if (mode !== undefined && mode !== 'blocking' && mode !== 'non-blocking') {
    throw invalid(`logger: logging mode not supported: ${mode}`);
  }
  if (options['max-buffer-size'] !== undefined && mode !== 'non-blocking') {
    throw invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  }
}
