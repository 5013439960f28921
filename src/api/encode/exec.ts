import type { ExecInspect } from '#api-types';
import type { Exec } from '#engine';

/** Answer of GET /exec/{id}/json. */
export function encodeExec(exec: Exec): ExecInspect {
  const { request } = exec;
  const [entrypoint = '', ...args] = request.cmd;
  return {
    ID: exec.id,
    Running: exec.running,
    ExitCode: exec.exitCode,
    ProcessConfig: {
      tty: request.tty,
      entrypoint,
      arguments: args,
      privileged: request.privileged,
      ...(request.user === '' ? {} : { user: request.user }),
    },
    OpenStdin: request.attachStdin,
    OpenStderr: request.attachStderr,
    OpenStdout: request.attachStdout,
    CanRemove: false,
    ContainerID: exec.containerId,
    DetachKeys: request.detachKeys ?? '',
    Pid: exec.pid,
  };
}
