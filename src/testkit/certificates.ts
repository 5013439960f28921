import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Makes an authority, a server's and a client's certificate with openssl(1), good for two days: `ca.pem`, `server.pem`
 * and `client.pem` in `directory`, each with its `-key.pem`. `names` are the server's, such as `IP:127.0.0.1`.
 */
export function makeCertificates(directory: string, names = 'IP:127.0.0.1'): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...key, '-subj', '/CN=test ca', '-keyout', 'ca-key.pem', '-out', 'ca.pem');
  for (const [name, extension] of [
    ['server', `subjectAltName=${names}`],
    ['client', 'extendedKeyUsage=clientAuth'],
  ] as const) {
    writeFileSync(join(directory, `${name}.ext`), `${extension}\n`);
    openssl('req', ...key.slice(0, 5), '-subj', `/CN=${name}`, '-keyout', `${name}-key.pem`, '-out', `${name}.csr`);
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-extfile', `${name}.ext`, '-out', `${name}.pem`);
  }
}
