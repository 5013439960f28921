import { invalid } from '#base';
import type { Platform } from './image.ts';

const goArch: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };

/** The platform of this machine, in Go's names (`linux/amd64`). */
export function hostPlatform(): Platform {
  const architecture = goArch[process.arch] ?? process.arch;
  return architecture === 'arm64' ? { os: 'linux', architecture, variant: 'v8' } : { os: 'linux', architecture };
}

/** Other names of architectures, as `uname -m` and packages have them (containerd's platforms has the same table). */
const architectureNames: Readonly<Record<string, Pick<Platform, 'architecture' | 'variant'>>> = {
  i386: { architecture: '386' },
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
};
const systems: ReadonlySet<string> = new Set(['linux', 'windows', 'darwin', 'freebsd', 'netbsd', 'openbsd']);
const architectures: ReadonlySet<string> = new Set(
  '386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm'.split(' '),
);

/** Reads `os/arch[/variant]`, or one of `os` and `arch` alone for this machine's other. Throws `invalid`. */
export function parsePlatform(text: string): Platform {
  const [os, named = '', variant, ...rest] = text.split('/');
  if (os !== undefined && !text.includes('/')) return lonePlatform(os);
  const { architecture, variant: ownVariant } = architectureNames[named] ?? { architecture: named };
  if (!os || !architecture || rest.length > 0 || !/^[\w./-]+$/.test(text)) {
    throw invalid(`"${text}" is an invalid platform: want os/arch or os/arch/variant`);
  }
  const chosen = variant || ownVariant;
  return chosen ? { os, architecture, variant: chosen } : { os, architecture };
}

function lonePlatform(word: string): Platform {
  const host = hostPlatform();
  if (systems.has(word)) return { ...host, os: word };
  const named = architectureNames[word] ?? { architecture: word };
  if (architectures.has(named.architecture)) return { os: host.os, ...named };
  throw invalid(`"${word}": unknown operating system or architecture: invalid argument`);
}

/** Writes `os/arch[/variant]`. */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
}

/** True when an image for `have` runs where `want` is asked; a variant counts only where both name one. */
export function platformMatches(have: Platform, want: Platform): boolean {
  if (have.os !== want.os || have.architecture !== want.architecture) return false;
  return !have.variant || !want.variant || have.variant === want.variant;
}
