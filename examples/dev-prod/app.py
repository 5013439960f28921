"""Says how it is run."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        answer = {"mode": os.environ["MODE"], "greeting": os.environ.get("GREETING")}
        self.wfile.write(json.dumps(answer).encode())


ThreadingHTTPServer(("", 8000), Handler).serve_forever()
