import { type Command, ExitError, exactly } from '../command/index.ts';
import { composeTable } from '../compose/compose-table.ts';
import { globalFlags } from '../global-flags.ts';

/** The words that may follow: of the program, and of each word that groups commands. */
function vocabulary(names: readonly string[]): Map<string, string[]> {
  const words = new Map<string, string[]>([['', ['help']]]);
  const add = (key: string, word: string) => words.set(key, [...(words.get(key) ?? []), word]);
  for (const name of names) {
    const [first = '', second] = name.split(' ');
    add('', first);
    if (second !== undefined) add(first, second);
  }
  for (const { name, hidden } of composeTable) if (!hidden) add('compose', name);
  for (const [key, list] of words) words.set(key, [...new Set(list)].sort());
  return words;
}

const longFlags = globalFlags.map((flag) => `--${flag.name}`).join(' ');

function bash(words: Map<string, string[]>): string {
  const cases = [...words]
    .filter(([key]) => key !== '')
    .map(([key, list]) => `    ${key}) words="${list.join(' ')}" ;;`);
  const grouping = [...words.keys()].filter((key) => key !== '').join('|');
  return `# bash completion for berth
# The long flags of a command, from its help page; only words that name commands are run, so nothing else happens.
_berth_flags() {
  local name=("\${COMP_WORDS[1]}")
  case "\${COMP_WORDS[1]}" in
    ${grouping}) case "\${COMP_WORDS[2]}" in -*) ;; *) name+=("\${COMP_WORDS[2]}") ;; esac ;;
  esac
  berth "\${name[@]}" --help 2>/dev/null | grep -oE '^ +(-[a-zA-Z], )?--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+'
}
_berth() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -gt 1 ] && [ "\${cur:0:1}" = - ]; then
    words="$(_berth_flags)"
  elif [ "$COMP_CWORD" -eq 1 ]; then
    words="${words.get('')?.join(' ')} ${longFlags}"
  elif [ "$COMP_CWORD" -eq 2 ]; then
    case "\${COMP_WORDS[1]}" in
${cases.map((line) => `  ${line}`).join('\n')}
    esac
  fi
  if [ -z "$words" ]; then
    case "\${COMP_WORDS[1]}" in
      exec|attach|kill|logs|pause|port|rename|restart|rm|start|stop|top|unpause|update|wait|cp|diff|export|commit|container)
        words="$(berth ps -a --format '{{.Names}}' 2>/dev/null)" ;;
      run|create|rmi|push|tag|save|history|image)
        words="$(berth images --format '{{.Repository}}:{{.Tag}}' 2>/dev/null)" ;;
      volume) words="$(berth volume ls -q 2>/dev/null)" ;;
      network) words="$(berth network ls --format '{{.Name}}' 2>/dev/null)" ;;
      compose) words="$(berth compose config --services 2>/dev/null)" ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$cur"))
}
complete -o filenames -F _berth berth
`;
}

function fish(words: Map<string, string[]>): string {
  const lines = [`complete -c berth -n __fish_use_subcommand -f -a "${words.get('')?.join(' ')}"`];
  for (const [key, list] of words) {
    if (key !== '') lines.push(`complete -c berth -n "__fish_seen_subcommand_from ${key}" -f -a "${list.join(' ')}"`);
  }
  return `# fish completion for berth\n${lines.join('\n')}\n`;
}

/** `berth completion`. */
export const command: Command = {
  usage: 'bash|zsh|fish',
  short: 'Write the completion script of a shell',
  args: exactly(1),
  async run({ args, terminal, commandNames }) {
    const words = vocabulary(commandNames);
    const [shell] = args;
    if (shell === 'bash') terminal.stdout.write(bash(words));
    else if (shell === 'zsh')
      terminal.stdout.write(`#compdef berth\nautoload -U +X bashcompinit && bashcompinit\n${bash(words)}`);
    else if (shell === 'fish') terminal.stdout.write(fish(words));
    else throw new ExitError(1, `there is no completion for ${JSON.stringify(shell)}: bash, zsh or fish\n`);
  },
};
