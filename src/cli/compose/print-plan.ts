import type { Operation, Plan } from '#compose';
import type { Terminal } from '../command/index.ts';

function target(operation: Operation): string {
  switch (operation.kind) {
    case 'create-network':
    case 'create-volume':
      return operation.body.Name ?? '';
    case 'create-container':
      return operation.createName;
    case 'take-over':
      return `by ${operation.container.name} from ${operation.from.id?.slice(0, 12) ?? ''}`;
    case 'start-container':
      return operation.beside === undefined
        ? operation.container.name
        : `${operation.container.name} beside ${operation.beside.id?.slice(0, 12) ?? ''}`;
    case 'rename-container':
      return `${operation.container.name} to ${operation.name}`;
    case 'wait-for':
      return `${operation.dependency} (${operation.condition})`;
    case 'put-file':
      return `${operation.container.name}:${operation.file.path}`;
    case 'run-hook':
      return `${operation.container.name}: ${(operation.hook.command ?? []).join(' ')}`;
    case 'disconnect-network':
      return `${operation.container.name} from ${operation.network}`;
    default:
      return 'container' in operation ? operation.container.name : operation.name;
  }
}

/** Prints what a plan would do, one line an operation with its reason. */
export function printPlan(plan: Plan, terminal: Terminal): void {
  const lines = plan.steps.map(
    ({ operation, reason }) =>
      ` DRY-RUN MODE -  ${operation.kind.replaceAll('-', ' ')} ${target(operation)}: ${reason}\n`,
  );
  for (const { resource, status } of plan.unchanged) lines.push(` DRY-RUN MODE -  ${resource}  ${status}\n`);
  for (const warning of plan.warnings) lines.push(` DRY-RUN MODE -  ${warning}\n`);
  terminal.stderr.write(lines.join(''));
}
