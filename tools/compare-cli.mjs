// Runs the same commands through the docker CLI and through bin/berth against one daemon (DOCKER_HOST) and prints where
// exit codes or output differ. By hand: DOCKER_HOST=unix:///... node tools/compare-cli.mjs
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const work = mkdtempSync(join(tmpdir(), 'compare-cli-'));
const berth = resolve(import.meta.dirname, '../bin/berth');
const name = 'comparecli';
const image = process.env.COMPARE_IMAGE ?? 'busybox';
writeFileSync(join(work, 'file.txt'), 'hello\n');
writeFileSync(join(work, 'Dockerfile'), `FROM ${image}\nCOPY file.txt /f\nRUN cat /f\n`);
const run = (program, line) => {
  const options = { shell: '/bin/bash', cwd: work, encoding: 'utf8', input: '' };
  const { status, stdout, stderr } = spawnSync(line.replaceAll('@', program), options);
  return { status, stdout, stderr };
};

// `@` is the program. Lines that begin with `!` prepare or clean up and are not compared.
const lines = `
!@ rm -f ${name} ${name}2
!@ volume rm ${name}
!@ network rm ${name}
@ run --name ${name} -d -p 127.0.0.1:18191:80 -l a=b -v /anon -e X=1 ${image} sh -c 'echo out; echo err >&2; sleep 300' | wc -c
@ ps
@ ps -a
@ ps -aq --no-trunc
@ ps -a --format 'table {{.ID}}\\t{{.Names}}\\t{{.Label "a"}}\\t{{.Ports}}\\t{{.Mounts}}\\t{{.Networks}}'
@ ps -a --format json
@ ps -as
@ ps -n 1
@ ps -l -q
@ ps --filter name=${name} --format '{{.Names}} {{.Status}} {{upper .Image}}'
@ ps --filter nope=1
@ ps -a --format '{{.Nope}}'
@ ps -a --format '{{'
@ ps -a --format raw
@ images
@ images --digests
@ images -q --no-trunc
@ images ${image}
@ logs ${name}
@ logs ${name} 2>/dev/null
@ logs --tail 1 ${name} >/dev/null
@ logs -t ${name} 2>&1 | sed 's/^[^ ]* //'
@ inspect ${name}
@ inspect -f '{{.State.Running}} {{.Config.Labels}} {{json .Config.Env}} {{.HostConfig.Binds}} {{.HostConfig.PidsLimit}}' ${name}
@ inspect -f '{{range $k, $v := .NetworkSettings.Networks}}{{$k}}={{$v.IPAddress}}{{end}}' ${name}
@ inspect -f '{{index .Config.Labels "a"}} {{.Config.Labels.a}} {{.Config.Labels.none}}' ${name}
@ inspect -f '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}' ${name}
@ inspect -f '{{.Nope}}' ${name}
@ inspect ${name} nope
@ inspect --type image ${image}
@ container inspect nope
@ image inspect ${image}
@ port ${name}
@ port ${name} 80
@ port ${name} 81
@ top ${name} -o pid,args | tail -n +2 | sed 's/^ *[0-9]* *//'
@ exec ${name} sh -c 'echo o; echo e >&2; exit 4'
@ exec -e A=1 -w /tmp -u 1 ${name} sh -c 'echo $A; pwd; id -u'
echo piped | @ exec -i ${name} cat
@ exec ${name} nosuchcommand
@ exec nope true
@ exec -d ${name} touch /new
@ diff ${name} | sort
@ cp file.txt ${name}:/copied
@ exec ${name} cat /copied
@ cp ${name}:/copied back.txt; cat back.txt
@ cp ${name}:/etc/passwd - | tar -t
@ cp ${name}:/nope .
@ cp file.txt ${name}:/nodir/
@ cp a b
@ rename ${name} ${name}2
@ rename ${name}2 ${name}
@ pause ${name}
@ unpause ${name}
@ update --memory 64m --memory-swap 64m ${name}
@ restart -t 0 ${name}
@ kill ${name}
@ wait ${name}
@ start ${name}
@ stop -t 0 ${name}
@ rm -v ${name}
@ rm ${name}
@ rm -fv ${name}
@ run --rm ${image} sh -c 'exit 7'
@ run --rm ${image} nosuchcommand
@ run --rm ${image} /etc
@ run --rm -e A=1 ${image} env | grep A=
@ run --rm -t ${image} echo tty | od -c | head -2
echo in | @ run --rm -i ${image} cat
echo in | @ run --rm -i -a stdin -a stdout ${image} cat
@ run --rm -it ${image} true
@ run --rm --nope ${image}
@ run --rm -p x:y ${image}
@ run
@ run nosuchimage:tag 2>&1 | head -1
@ run --rm --network nonet ${image}
@ run --rm -v /nope/x:relative ${image}
@ run --rm -m 1k ${image}
@ run -d -a stdout ${image}
@ create --name ${name} ${image} sh -c 'read x; echo got $x' | wc -c
@ create --name ${name} ${image} 2>&1 | sed 's/"[0-9a-f]\\{64\\}"/ID/'
@ start -a ${name}
@ commit -m note -c 'CMD ["x"]' ${name} ${name}:v1 | wc -c
@ history --format '{{.CreatedBy}}|{{.Size}}|{{.Comment}}' ${name}:v1
@ history ${image}
@ tag ${name}:v1 ${name}:v2
@ tag nope:x ${name}:v3
@ tag ${name}:v1 UPPER
@ save ${name}:v1 | tar -t | wc -l
@ save ${name}:v1 | @ load
@ save nope
@ export ${name} | tar -t | wc -l
@ rmi ${name}:v2
@ rmi ${name}:v1 | wc -l
@ rmi nope
@ rm -v ${name}
@ volume create ${name}
@ volume ls
@ volume ls -q --filter name=${name}
@ volume ls --format json --filter name=${name}
@ volume inspect ${name} -f '{{.Name}} {{.Driver}} {{.Labels}} {{.Options}}'
@ volume rm ${name}
@ volume rm ${name}
@ volume inspect ${name}
@ network create --subnet 10.249.7.0/24 --gateway 10.249.7.1 -o a=b --label l=1 ${name} | wc -c
@ network ls --filter name=${name} --format '{{.Name}} {{.Driver}} {{.Scope}} {{.IPv6}} {{.Internal}} {{.Labels}}'
@ network ls
@ network inspect ${name} -f '{{json .IPAM}} {{.Options}} {{.Labels}}'
@ network create ${name}
@ network create --subnet nonsense ${name}9
@ network rm ${name}
@ network inspect ${name}
@ import - ${name}:imp < /dev/null
@ search
@ stop
@ stop nope
@ kill nope
@ wait nope
@ top nope
@ stats --no-stream nope
@ events --since 1s --until 0s --filter event=nothing
@ system df
@ system df -v
@ info -f '{{.ServerVersion}} {{.NCPU}} {{json .Plugins.Volume}}'
@ version -f '{{.Server.Version}} {{.Server.Os}}'
@ context ls -q
@ context show
@ context use nope
@ pss
@ container pss
@ help nope
@ ps --nope
@ -H unix:///nowhere.sock ps
@ -H tcp://127.0.0.1:1 ps
@ load < /dev/null
@ build -q nowhere
!@ rmi -f ${name}:imp ${name}:v1
`;

const same = (text) =>
  text
    .replaceAll('berth', 'docker')
    .replace(/\b[0-9a-f]{64}\b/g, 'ID64')
    .replace(/\d+(\.\d+)? (seconds?|minutes?) ago|About a minute ago|Less than a second ago/g, 'AGO')
    .replace(/Up (\d+ (seconds?|minutes?)|Less than a second|About a minute)/g, 'Up T')
    .replace(/\b[0-9a-f]{12}\b/g, 'ID12')
    .replace(/\b[0-9a-f]{14}…/g, 'MOUNT')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z|\d{4}-\d\d-\d\d [\d:]+ \+0000 UTC/g, 'TIME')
    .replace(/"(Pid|GatewayPriority)": \d+/g, 'NUMBER')
    .replace(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, 'MAC')
    .replace(/ +/g, ' ');
let different = 0;
let compared = 0;
const results = ['docker', berth].map((program) =>
  lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ line, ...run(program, line.replace(/^!/, '')) })),
);
for (const [index, docker] of results[0].entries()) {
  if (docker.line.startsWith('!')) continue;
  compared += 1;
  const ours = results[1][index];
  const faults = ['status', 'stdout', 'stderr'].filter(
    (key) => same(String(docker[key])) !== same(String(ours[key]).replaceAll(berth, 'docker')),
  );
  if (faults.length === 0) continue;
  different += 1;
  process.stdout.write(`--- ${docker.line}\n`);
  for (const key of faults)
    process.stdout.write(
      `  ${key} docker: ${JSON.stringify(docker[key]).slice(0, 500)}\n  ${key} berth:  ${JSON.stringify(ours[key]).slice(0, 500)}\n`,
    );
}
rmSync(work, { recursive: true });
process.stdout.write(`${compared} compared, ${different} differ\n`);
process.exitCode = different === 0 ? 0 : 1;
