/**
 * Each script asks `berth __complete` with the words up to the cursor, and offers what it answers: lines `word TAB text`,
 * then `:N` (see {@link complete}).
 */
const scripts: Readonly<Record<string, string>> = {
  // Bash ends words at `:` and `=`, too, and puts an answer in place of what comes after the last of these.
  bash: `# bash completion for berth
_berth() {
  local line=\${COMP_LINE:0:COMP_POINT} words=() answers=() directive typed prefix answer
  read -ra words <<<"$line"
  [[ $line != *[[:space:]] ]] || words+=("")
  mapfile -t answers < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
  [ \${#answers[@]} -gt 0 ] || return 0
  directive=\${answers[-1]#:}
  unset 'answers[-1]'
  typed=\${words[-1]}
  prefix=\${typed%"\${typed##*[=:]}"}
  COMPREPLY=()
  for answer in "\${answers[@]}"; do
    answer=\${answer%%$'\\t'*}
    COMPREPLY+=("\${answer#"$prefix"}")
  done
  if ((directive & 2)); then compopt -o nospace; fi
  if ((!(directive & 4))); then
    # It puts a slash behind directories, and a backslash before what it takes for odd in a name.
    [ \${#COMPREPLY[@]} -gt 0 ] || compopt -o filenames
    mapfile -t -O \${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "\${typed#"$prefix"}")
  fi
}
complete -F _berth berth
`,
  zsh: `#compdef berth
_berth() {
  local -a answers described
  local directive answer
  answers=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  directive=\${answers[-1]#:}
  answers=("\${(@)answers[1,-2]}")
  for answer in "\${(@)answers}"; do
    # A colon ends the word there.
    described+=("\${\${answer%%$'\\t'*}//:/\\\\:}\${\${(M)answer:#*$'\\t'*}:+:\${answer#*$'\\t'}}")
  done
  local -a options
  if ((directive & 2)); then options=(-S ''); fi
  _describe -V berth described $options
  if ((!(directive & 4))); then _files; fi
}
if [ "$funcstack[1]" = _berth ]; then _berth "$@"; else compdef _berth berth; fi
`,
  fish: `# fish completion for berth
function __berth_complete
    set -l words (commandline -opc)
    set -l answers ($words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null)
    set -q answers[1]; or return
    set -l directive (string sub -s 2 -- $answers[-1])
    set -e answers[-1]
    printf '%s\\n' $answers
    test (math "bitand($directive, 4)") -eq 4; or __fish_complete_path (commandline -ct)
end
complete -c berth -f -a '(__berth_complete)'
`,
};

/** The completion script of a shell: bash (4.4 or later), zsh or fish; undefined for others. */
export function completionScript(shell: string): string | undefined {
  return Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
}
