import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Writes the root file system of a busybox image into the new directory `target`: one static binary and its links. */
export function makeBusyboxRoot(target: string): void {
  for (const directory of ['bin', 'etc', 'root', 'var', 'usr/bin', 'home', 'proc', 'sys', 'dev', 'tmp']) {
    mkdirSync(join(target, directory), { recursive: true });
  }
  chmodSync(target, 0o755);
  chmodSync(join(target, 'tmp'), 0o1777);
  const binary = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
  copyFileSync(binary, join(target, 'bin/busybox'));
  for (const applet of execFileSync(binary, ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
    if (applet !== 'busybox') symlinkSync('busybox', join(target, 'bin', applet));
  }
  const users = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n';
  writeFileSync(join(target, 'etc/passwd'), users);
  writeFileSync(join(target, 'etc/group'), 'root:x:0:\nnobody:x:65534:\n');
}

/** Imports {@link makeBusyboxRoot} as `busybox:latest` (CMD sh, a PATH) through the API on `socket`. Returns the image id. */
export function importBusybox(socket: string, tag = 'busybox:latest'): string {
  const root = mkdtempSync(join(tmpdir(), 'berth-busybox-'));
  try {
    makeBusyboxRoot(root);
    const changes = ['CMD ["sh"]', 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'].map(
      (change) => `changes=${encodeURIComponent(change)}`,
    );
    const [repository, version] = tag.split(':');
    const url = `http://berth/images/create?fromSrc=-&repo=${repository}&tag=${version}&${changes.join('&')}`;
    const script = `tar --sort=name --mtime=@0 -c -C "$0" . | curl -sS --fail-with-body --unix-socket "$1" -X POST -T - -H 'content-type: application/x-tar' "$2"`;
    const answer = execFileSync('sh', ['-c', script, root, socket, url], { encoding: 'utf8' });
    const id = /sha256:[0-9a-f]{64}/.exec(answer)?.[0];
    if (id === undefined) throw new Error(`import of busybox: ${answer}`);
    return id;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
