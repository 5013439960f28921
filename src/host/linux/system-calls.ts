/** Numbers of system calls that older C libraries have no function for; the same on every machine type (syscalls(2)). */
export const systemCalls = {
  openTree: 428,
  moveMount: 429,
} as const;
