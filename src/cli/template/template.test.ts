import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GoNil } from './go-value.ts';
import { Template } from './template.ts';

const data = {
  Id: 'abc',
  Name: '/Web',
  Args: ['-c', 'ls'],
  Count: 3,
  Empty: [],
  None: null,
  NilList: new GoNil('slice'),
  State: { Running: true, Pid: 0 },
  Labels: { b: '2', a: '1' },
};
const openMaps = new WeakSet<object>([data.Labels]);
const run = (source: string) => new Template(source).execute(data, { strict: true, openMaps });

/** Template, and what Go's text/template (as Docker runs it) makes of it. */
const table: readonly (readonly [source: string, text: string])[] = [
  ['{{.Id}}', 'abc'],
  ['{{.State.Running}} {{.State.Pid}}', 'true 0'],
  ['{{.Args}} {{.Labels}} {{.None}} {{.NilList}}', '[-c ls] map[a:1 b:2] <nil> []'],
  ['{{json .Args}} {{json .Labels}} {{json "<a>&"}}', '["-c","ls"] {"b":"2","a":"1"} "<a>&"'],
  ['{{.Labels.nope}}', '<no value>'],
  ['{{index .Labels "a"}}{{index .Labels "nope"}}', '1'],
  ['{{index .Args 1}}', 'ls'],
  ['{{len .Args}} {{len "äb"}}', '2 3'],
  ['{{slice "abcdef" 1 3}}', 'bc'],
  ['{{join .Args ","}} {{split "a,b" ","}}', '-c,ls [a b]'],
  ['{{upper .Name}} {{lower .Name}} {{title "abc def"}}', '/WEB /web Abc Def'],
  ['{{pad "x" 2 2}}|{{truncate "abcdef" 3}}', '  x  |abc'],
  ['{{println .Id 1}}', 'abc 1\n'],
  ['{{print 1 2 "a" "b" 3 nil}}', '1 2ab3 <nil>'],
  ['{{$x := 3}}{{$x}}{{$x = 4}}{{$x}}', '34'],
  ['{{eq 1 1}} {{ne 1 1}} {{lt 1 2}} {{ge 2 2}} {{eq .Id "x" "abc"}}', 'true false true true true'],
  ['{{and 0 1}} {{or 0 1}} {{not 0}} {{and 1 2 3}}', '0 1 true 3'],
  ['{{with .Args}}{{len .}}{{else}}none{{end}}', '2'],
  ['{{with .Empty}}x{{else}}none{{end}}', 'none'],
  ['{{if .None}}a{{else if .Id}}b{{else}}c{{end}}', 'b'],
  ['a {{- "b" -}} c', 'abc'],
  ['{{range $i, $e := .Args}}{{$i}}{{$e}};{{end}}', '0-c;1ls;'],
  ['{{range $k, $v := .Labels}}{{$k}}={{$v}} {{end}}', 'a=1 b=2 '],
  ['{{range .Empty}}x{{else}}empty{{end}}', 'empty'],
  ['{{range .Args}}{{if eq . "ls"}}{{break}}{{end}}{{.}}{{end}}', '-c'],
  ['{{range .Args}}{{if eq . "-c"}}{{continue}}{{end}}{{.}}{{end}}', 'ls'],
  ['{{define "x"}}hi {{.}}{{end}}{{template "x" .Id}}', 'hi abc'],
  ['{{block "y" .Id}}[{{.}}]{{end}}', '[abc]'],
  ['{{.Name | upper | printf "%s-%s" "x"}}', 'x-/WEB'],
  ['{{(index .Args 0) | len}}', '2'],
  ['{{/* note */}}x{{- /* note */ -}} y', 'xy'],
  ['{{html "<a>"}} {{js "a\'b"}} {{urlquery "a b"}}', "&lt;a&gt; a\\'b a+b"],
  ["{{1e3}} {{0x10}} {{'a'}} {{true}} {{`raw\\n`}}", '1000 16 97 true raw\\n'],
  [
    '{{printf "%5s|%-5s|%05d|%v|%q|%x|%t|%c|%U|%e|%g|%5.2f|%%" "a" "b" 3 "v" "q" 255 true 65 65 1.5 1.5 2.5}}',
    '    a|b    |00003|v|"q"|ff|true|A|U+0041|1.500000e+00|1.5| 2.50|%',
  ],
  ['{{printf "%s"}} {{printf "%d" "a"}} {{printf "x" 1}}', '%!s(MISSING) %!d(string=a) x%!(EXTRA int=1)'],
  ['{{$.Id}}{{with .State}}{{$.Name}}{{end}}', 'abc/Web'],
];
for (const [source, text] of table)
  test(`${source} gives ${JSON.stringify(text)}`, () => assert.equal(run(source), text));

const parseErrors: readonly (readonly [string, string])[] = [
  ['{{.Id', 'unclosed action'],
  ['{{nope .}}', 'function "nope" not defined'],
  ['{{if}}', 'missing value for if'],
  ['{{end}}', 'unexpected {{end}}'],
  ['{{range .Args}}', 'unexpected EOF'],
  ['{{"abc}}', 'unterminated quoted string'],
  ['{{break}}', '{{break}} outside {{range}}'],
  ['{{with $x := .Id}}{{end}}{{$x}}', 'undefined variable "$x"'],
];
for (const [source, message] of parseErrors) {
  test(`${source} cannot be read`, () => assert.throws(() => run(source), { message: `template: :1: ${message}` }));
}

const execErrors: readonly (readonly [string, string])[] = [
  ['{{.Foo}}', ':1:2: executing "" at <.Foo>: map has no entry for key "Foo"'],
  ['{{.State.foo}}', ':1:8: executing "" at <.State.foo>: map has no entry for key "foo"'],
  ['{{ .Foo.Bar }}', ':1:7: executing "" at <.Foo.Bar>: map has no entry for key "Foo"'],
  ['{{index .Args 9}}', ':1:2: executing "" at <index .Args 9>: error calling index: index out of range: 9'],
  ['{{len 3}}', ':1:2: executing "" at <len 3>: error calling len: len of type int'],
  ['{{eq 1 "a"}}', ':1:2: executing "" at <eq 1 "a">: error calling eq: incompatible types for comparison'],
  ['{{.Id.Foo}}', ':1:5: executing "" at <.Id.Foo>: can\'t evaluate field Foo in type interface {}'],
  ['{{template "x"}}', ':1:11: executing "" at <{{template "x"}}>: template "x" not defined'],
];
for (const [source, message] of execErrors) {
  test(`${source} fails`, () => assert.throws(() => run(source), { message: `template: ${message}` }));
}

test('templates that call themselves end with an error', () => {
  assert.throws(
    () => run('{{define "r"}}{{template "r" .}}{{end}}{{template "r" .}}'),
    /exceeded maximum template depth/,
  );
});
