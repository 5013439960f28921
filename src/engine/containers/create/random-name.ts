import { randomInt } from 'node:crypto';

const adjectives =
  'able agile airy amber ample arctic astute autumn blithe bold brave breezy bright brisk bronze calm candid careful cheery clear clever cosmic crisp curious daring deft eager earnest easy fair fearless fleet fond frank fresh frosty gentle gifted glad golden graceful grand hardy hearty honest humble ideal jolly jovial keen kind lively loyal lucid lucky lunar mellow merry mighty modest neat nimble noble patient placid plucky polite prime proud quick quiet rapid ready robust rosy sage serene sharp silent silver sincere smart snug solar sound spry steady stellar stoic sturdy subtle sunny swift tidy tranquil trusty upbeat valiant vivid warm wise witty zesty'.split(
    ' ',
  );
const surnames =
  'abel agnesi babbage banach bernoulli blackwell bohr boole borel bose cantor cauchy chandra church clairaut conway curie dalton darwin descartes dijkstra dirac easley einstein elion engelbart erdos euclid euler faraday fermat fermi feynman fourier franklin galileo galois gauss germain goeppert goldberg hamilton hamming hawking heisenberg herschel hilbert hodgkin hopper hubble huygens hypatia jackson johnson kalman kepler khayyam knuth kovalevsky lagrange lamarr laplace leavitt leibniz lovelace maxwell mccarthy mcclintock meitner mendel mirzakhani morse nash newton nobel noether pascal pasteur payne planck poincare raman ramanujan riemann ritchie robinson rubin sagan shannon shockley sinoussi swartz tesla thompson torvalds turing villani volta wescoff wiles wilson wozniak wright yalow'.split(
    ' ',
  );

/** A free `adjective_surname`; a digit is added when the words alone are taken. */
export function randomName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const plain = `${adjectives[randomInt(adjectives.length)]}_${surnames[randomInt(surnames.length)]}`;
    const name = attempt < 6 ? plain : `${plain}${randomInt(10 ** Math.min(9, attempt - 5))}`;
    if (!isTaken(name)) return name;
  }
}
