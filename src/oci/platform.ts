import { invalid } from '#base';
import type { Platform } from './image.ts';

const goArch: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };

/** The platform of this machine, in Go's names (`linux/amd64`). */
export function hostPlatform(): Platform {
  const architecture = goArch[process.arch] ?? process.arch;
  return architecture === 'arm64' ? { os: 'linux', architecture, variant: 'v8' } : { os: 'linux', architecture };
}

/** Reads `os/arch[/variant]`. Throws `invalid` on any other form. */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...rest] = text.split('/');
  if (!os || !architecture || rest.length > 0 || !/^[\w./-]+$/.test(text)) {
    throw invalid(`"${text}" is an invalid platform: want os/arch or os/arch/variant`);
  }
  return variant ? { os, architecture, variant } : { os, architecture };
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
