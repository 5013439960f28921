/**
 * Reads the words of EXPOSE (`80`, `80-82/tcp`, `127.0.0.1:8080:80/udp`) into the keys of an image's ExposedPorts
 * (`80/tcp`). Throws a plain Error with Docker's text.
 */
export function exposedPorts(words: readonly string[]): string[] {
  return words.flatMap((word) => {
    const slash = word.indexOf('/');
    const protocol = (slash < 0 ? 'tcp' : word.slice(slash + 1)).toLowerCase();
    if (!['tcp', 'udp', 'sctp'].includes(protocol)) throw new Error(`Invalid proto: ${protocol}`);
    const address = slash < 0 ? word : word.slice(0, slash);
    const container = address.slice(address.lastIndexOf(':') + 1);
    if (container === '') throw new Error(`No port specified: ${word}<empty>`);
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(container);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null || last < first || last > 65535) throw new Error(`Invalid containerPort: ${container}`);
    return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
  });
}
