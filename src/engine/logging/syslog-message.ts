/** Facilities by name (RFC 5424, 6.2.1). */
export const facilities: Readonly<Record<string, number>> = {
  ...{
    kern: 0,
    user: 1,
    mail: 2,
    daemon: 3,
    auth: 4,
    syslog: 5,
    lpr: 6,
    news: 7,
    uucp: 8,
    cron: 9,
    authpriv: 10,
    ftp: 11,
  },
  ...{ local0: 16, local1: 17, local2: 18, local3: 19, local4: 20, local5: 21, local6: 22, local7: 23 },
};

/** `syslog-format`: the traditional form without a host name where empty. */
export const syslogFormats = ['', 'rfc3164', 'rfc5424', 'rfc5424micro'] as const;
/** One of the formats above. */
export type SyslogFormat = (typeof syslogFormats)[number];

const severities = { stdout: 6, stderr: 3 } as const; // informational, error
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** What one message is made from. */
export interface SyslogLine {
  readonly facility: number;
  readonly stream: 'stdout' | 'stderr';
  readonly format: SyslogFormat;
  /** When the line was written: RFC 3339 with nanoseconds. */
  readonly time: string;
  readonly hostname: string;
  readonly tag: string;
  readonly pid: number;
  readonly text: Buffer;
}

/** One message, newline included (RFC 3164, RFC 5424; forms and fields as Docker's driver fills them). */
export function syslogMessage(line: SyslogLine): Buffer {
  return Buffer.concat([Buffer.from(header(line)), line.text, Buffer.from('\n')]);
}

function header({ facility, stream, format, time, hostname, tag, pid }: SyslogLine): string {
  const priority = `<${facility * 8 + severities[stream]}>`;
  if (format === '') return `${priority}${stamp(time)} ${tag}[${pid}]: `;
  if (format === 'rfc3164') return `${priority}${stamp(time)} ${hostname} ${tag}[${pid}]: `;
  return `${priority}1 ${timestamp(time, format === 'rfc5424micro' ? 6 : 0)} ${hostname} ${tag} ${pid} ${tag} - `;
}

/** `Jan  2 15:04:05`, local time. */
function stamp(time: string): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${months[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${clock}`;
}

/** In UTC, with so many digits of a second. */
function timestamp(time: string, digits: number): string {
  const whole = new Date(time).toISOString().slice(0, 19);
  const fraction = (/\.(\d+)/.exec(time)?.[1] ?? '').padEnd(digits, '0').slice(0, digits);
  return `${whole}${digits > 0 ? `.${fraction}` : ''}Z`;
}
