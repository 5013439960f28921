import { conflict } from '#base';
import { isUp, type LiveContainer } from '../live-container.ts';
import { type DisposeDependencies, dispose } from './dispose.ts';
import { killContainer, type StopDependencies } from './stop.ts';

/** Removes for a user. Throws `conflict` for one that runs unless `force`, and for one that is being removed. */
export async function removeContainer(
  deps: StopDependencies & DisposeDependencies,
  container: LiveContainer,
  options: { force: boolean; volumes: boolean },
): Promise<void> {
  if (container.removing) throw conflict(`removal of container ${container.name} is already in progress`);
  const { status } = container.state;
  if (!options.force && (isUp(container.state) || status === 'restarting')) {
    const [state, remedy] =
      status === 'paused'
        ? ['paused', 'unpause and then stop the container before removing or force remove']
        : status === 'restarting'
          ? ['restarting', 'stop the container before removing or force remove']
          : ['running', 'stop the container before removing or force remove'];
    throw conflict(`cannot remove container "${container.name}": container is ${state}: ${remedy}`);
  }
  container.removing = true;
  try {
    await killContainer(deps, container);
    await deps.registry.exclusively(container, async () => {
      // With --rm the exit may have removed it already.
      if (deps.registry.tryFind(container.id) === container) await dispose(deps, container, options);
    });
  } catch (error) {
    container.removing = false;
    throw error;
  }
}
