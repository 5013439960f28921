/** containerd's name for the shim of runc, which clients of Docker may ask for. */
const shimOfRunc = 'io.containerd.runc.v2';

/** The OCI runtime that a container's `--runtime` means; empty for the default one. */
export function runtimeProgram(runtime: string): string {
  return runtime === shimOfRunc ? 'runc' : runtime;
}
