"""Serves src/page.txt as it is now, with the settings read at the start and the image's generation."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

with open("settings.txt", encoding="utf-8") as file:
    settings = file.read().strip()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        with open("src/page.txt", encoding="utf-8") as page:
            body = f"{page.read().strip()} / {settings} / {os.environ['GENERATION']}\n"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())


ThreadingHTTPServer(("", 8000), Handler).serve_forever()
