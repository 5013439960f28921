import type { Exec } from '#engine';

/** `cat` with all its streams attached, made and not begun. */
export function sampleExec(): Exec {
  return {
    id: 'e1',
    containerId: 'c',
    request: {
      container: 'c',
      cmd: ['cat'],
      env: [],
      workingDir: '',
      user: '',
      privileged: false,
      tty: false,
      attachStdin: true,
      attachStdout: true,
      attachStderr: true,
    },
    running: false,
    exitCode: 0,
    pid: 5,
  };
}
