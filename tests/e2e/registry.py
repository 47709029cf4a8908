"""A schema registry of thirty lines, with the part of the Confluent API that the program uses. (Against a real one:
tests/adapters.)"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Registry:
    """`schemas`: id → schema, filled by hand or by whoever registers. `away`: answers 503 meanwhile."""

    def __init__(self):
        self.schemas, self.subjects, self.away = {}, {}, False
        handler = type("Handler", (_Handler,), {"registry": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/base/path"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def register(self, subject, schema):
        for number, known in self.schemas.items():
            if known == schema:
                break
        else:
            number = 100 + len(self.schemas)
            self.schemas[number] = schema
        self.subjects.setdefault(subject, []).append(number)
        return number

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    registry = None

    def answer(self, code, value):
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        parts = self.path.split("?")[0].split("/")
        if self.registry.away:
            self.answer(503, {"error_code": 50301, "message": "away"})
        elif parts[:5] == ["", "base", "path", "schemas", "ids"] and int(parts[5]) in self.registry.schemas:
            self.answer(200, {"schema": json.dumps(self.registry.schemas[int(parts[5])])})
        else:
            self.answer(404, {"error_code": 40403, "message": "Schema not found"})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        parts = self.path.split("/")
        if self.registry.away:
            self.answer(503, {"error_code": 50301, "message": "away"})
        elif parts[:4] == ["", "base", "path", "subjects"] and parts[5] == "versions":
            self.answer(200, {"id": self.registry.register(parts[4], json.loads(body["schema"]))})
        else:
            self.answer(404, {"error_code": 404, "message": "no such path"})

    def log_message(self, *_):
        pass
