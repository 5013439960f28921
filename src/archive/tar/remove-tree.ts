import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { type ByteName, toHostPath } from './byte-name.ts';

/** Removes `path` and all below it without following symlinks; synchronous, for worker threads. Missing is fine. */
export function removeTree(path: ByteName): void {
  const stat = lstatSync(toHostPath(path), { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isDirectory()) {
    unlinkSync(toHostPath(path));
    return;
  }
  const stack: { path: ByteName; isEntered: boolean }[] = [{ path, isEntered: false }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (top.isEntered) {
      rmdirSync(toHostPath(top.path));
      stack.pop();
      continue;
    }
    top.isEntered = true;
    for (const entry of readdirSync(toHostPath(top.path), { encoding: 'latin1', withFileTypes: true })) {
      const child = `${top.path}/${entry.name}`;
      if (entry.isDirectory()) stack.push({ path: child, isEntered: false });
      else unlinkSync(toHostPath(child));
    }
  }
}
