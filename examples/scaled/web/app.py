"""Answers with the name of the container that it runs in."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import gethostname


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{gethostname()}\n".encode())


ThreadingHTTPServer(("", 8000), Handler).serve_forever()
