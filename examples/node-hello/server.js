const http = require('node:http');
const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'text/plain');
  response.end(`@GREETING@ from ${require('node:os').hostname()}, you asked for ${request.url}\n`);
});
server.listen(Number(process.env.PORT ?? 3000), () => console.log('listening'));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
