"""A Hub of one's own: as much of its interface as pushing and pulling a repository needs.

The interface is that which huggingface_hub calls; files are kept in memory, as regular ones.
"""

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_of_a_test"
OWNER = "tester"


class Hub(ThreadingHTTPServer):
    """repos: the files of each repository, by path; hidden: those that are private."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repos: dict[str, dict[str, bytes]] = {}
        self.hidden: set[str] = set()

    @property
    def address(self) -> str:
        """What HF_ENDPOINT is set to."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving() -> Iterator[Hub]:
    """Within: a Hub that answers."""
    hub = Hub()
    thread = Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


def _commit(files: dict[str, bytes]) -> str:
    return sha1(repr(sorted(files.items())).encode()).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def do_POST(self) -> None:
        """A new repository, a question before an upload, or a commit."""
        size, path = int(self.headers.get("Content-Length", 0)), urlsplit(self.path).path
        body = self.rfile.read(size)
        parts = path.strip("/").split("/")
        if path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._json({"error": "Invalid username or password."}, 401)
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif parts[4] == "preupload":
            self._preupload(json.loads(body))
        else:
            self._change("/".join(parts[2:4]), body)

    def do_GET(self) -> None:
        """What a repository holds, or one of its files."""
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        api = parts[:2] in (["api", "models"], ["api", "datasets"])
        repo = "/".join(parts[2:4] if api else parts[:2])
        files = self.server.repos.get(repo)
        known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if files is None or (repo in self.server.hidden and not known):
            self._send(b"", 404, {"X-Error-Code": "RepoNotFound"})
        elif not api:
            self._file(files, "/".join(parts[4:]))
        elif parts[4:5] == ["tree"]:
            self._json([_entry(name, content) for name, content in files.items()])
        else:
            names = [{"rfilename": name} for name in files]
            self._json({"id": repo, "sha": _commit(files), "siblings": names})

    do_HEAD = do_GET  # noqa: N815

    def _create(self, asked: dict[str, Any]) -> None:
        owner, _, name = str(asked["name"]).rpartition("/")
        repo = f"{owner or asked.get('organization')}/{name}"
        if not repo.startswith(f"{OWNER}/"):
            self._json({"error": "You don't have the rights"}, 403)
            return
        status = 409 if repo in self.server.repos else 200
        self.server.repos.setdefault(repo, {".gitattributes": b""})
        if status == 200 and (asked.get("private") or asked.get("visibility") == "private"):
            self.server.hidden.add(repo)
        self._json({"url": f"{self.server.address}/{repo}", "name": repo}, status)

    def _preupload(self, asked: dict[str, Any]) -> None:
        every = [f["path"] for f in asked["files"]]
        kind = {"uploadMode": "regular", "shouldIgnore": False}
        self._json({"files": [{"path": path, **kind} for path in every]})

    def _change(self, repo: str, body: bytes) -> None:
        files = self.server.repos[repo]
        for line in body.splitlines():
            entry = json.loads(line)
            if entry["key"] == "file":
                files[entry["value"]["path"]] = b64decode(entry["value"]["content"])
            elif entry["key"] == "deletedFile":
                del files[entry["value"]["path"]]
        commit = _commit(files)
        where = f"{self.server.address}/{repo}/commit/{commit}"
        self._json({"success": True, "commitUrl": where, "commitOid": commit})

    def _file(self, files: dict[str, bytes], path: str) -> None:
        if path not in files:
            self._send(b"", 404, {"X-Error-Code": "EntryNotFound"})
            return
        marks = {"ETag": f'"{_entry(path, files[path])["oid"]}"', "X-Repo-Commit": _commit(files)}
        self._send(files[path], 200, marks)

    def _json(self, value: object, status: int = 200) -> None:
        self._send(json.dumps(value).encode(), status, {"Content-Type": "application/json"})

    def _send(self, body: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _entry(path: str, content: bytes) -> dict[str, Any]:
    return {"type": "file", "path": path, "size": len(content), "oid": sha1(content).hexdigest()}
