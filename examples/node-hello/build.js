// Writes the server with the greeting built in: stands for a bundler.
const fs = require('node:fs');
const greeting = process.argv[2] ?? 'hello';
const source = fs.readFileSync('server.js', 'utf8').replace('@GREETING@', greeting);
fs.mkdirSync('out', { recursive: true });
fs.writeFileSync('out/server.js', source);
console.log(`built with greeting "${greeting}"`);
