import { invalid } from '#base';
import { facilities, type SyslogFormat, syslogFormats } from './syslog-message.ts';

/** Where messages go. */
export type SyslogAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'udp' | 'tcp' | 'tls'; readonly host: string; readonly port: number };

/** The options of `--log-driver syslog`. */
export interface SyslogOptions {
  readonly address: SyslogAddress;
  readonly facility: number;
  readonly format: SyslogFormat;
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly skipVerify: boolean };
}

const defaultPort = 514;

/** Reads them. Throws `invalid` naming option and value. */
export function readSyslogOptions(options: Readonly<Record<string, string>>): SyslogOptions {
  const ca = options['syslog-tls-ca-cert'];
  const cert = options['syslog-tls-cert'];
  const key = options['syslog-tls-key'];
  return {
    address: readAddress(options['syslog-address'] || 'unix:///dev/log'),
    facility: readFacility(options['syslog-facility'] || 'daemon'),
    format: readFormat(options['syslog-format'] ?? ''),
    tls: {
      skipVerify: options['syslog-tls-skip-verify'] !== undefined && options['syslog-tls-skip-verify'] !== 'false',
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
  };
}

function readAddress(text: string): SyslogAddress {
  const [, scheme = '', rest = ''] = /^([a-z+]+):\/\/(.*)$/.exec(text) ?? [];
  if (scheme === 'unix' || scheme === 'unixgram') {
    if (!rest.startsWith('/')) throw invalid(`syslog-address should be in form unix:///path, got '${text}'`);
    return { kind: 'unix', path: rest };
  }
  const kind = ({ udp: 'udp', tcp: 'tcp', 'tcp+tls': 'tls' } as const)[scheme];
  if (kind === undefined) throw invalid(`syslog-address should be in form proto://address, got '${text}'`);
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(rest) ?? [];
  const host = bracketed ?? plain ?? '';
  const number = port === undefined ? defaultPort : Number(port);
  if (host === '' || number < 1 || number > 65_535) throw invalid(`invalid syslog-address '${text}'`);
  return { kind, host, port: number };
}

function readFacility(text: string): number {
  const known = facilities[text];
  if (known !== undefined) return known;
  if (/^\d+$/.test(text) && Number(text) <= 23) return Number(text);
  throw invalid(`invalid syslog facility: ${text}`);
}

function readFormat(text: string): SyslogFormat {
  const found = syslogFormats.find((format) => format === text);
  if (found === undefined) throw invalid(`Invalid syslog format: ${text}`);
  return found;
}
