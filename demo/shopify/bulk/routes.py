"""Where files go to and come from: a storage service beside the store, which knows nothing of access tokens.

    POST /staged-uploads/         a form with the parameters of stagedUploadsCreate, the file last
    PUT  /staged-uploads/<key>    the same as one body
    GET  /bulk-operation-outputs/<number>?Expires=…&Signature=…   a result
"""
from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint, Response, request, send_file

from ..state import Store
from .blobs import LARGEST_UPLOAD

_FORM = ("key", "policy", "x-goog-signature", "x-goog-algorithm", "x-goog-credential", "x-goog-date")


def blueprint(store: Store, shown: list[str]) -> Blueprint:
    """`shown` collects the paths that were asked with an access token, which does not belong here."""
    routes = Blueprint("bulk_files", __name__)
    blobs = store.bulks.blobs

    @routes.before_request
    def no_token() -> None:
        if request.headers.get("X-Shopify-Access-Token"):
            shown.append(request.path)

    @routes.post("/staged-uploads/")
    def form() -> Response:
        missing = [name for name in _FORM if not request.form.get(name)]
        if missing:
            return _refused(403, "AccessDenied", f"The form lacks {', '.join(missing)}.")
        key, file = request.form["key"], request.files.get("file")
        if key not in blobs.promised or not blobs.signed_rightly(key, request.form["x-goog-signature"]):
            return _refused(403, "SignatureDoesNotMatch", "The signature is not the one that was given for this key.")
        if file is None:
            return _refused(400, "InvalidArgument", "POST requires exactly one file upload per request.")
        return _stored(key, file.read(), smallest=1)

    @routes.put("/staged-uploads/<path:key>")
    def body(key: str) -> Response:
        if key not in blobs.promised or not blobs.signed_rightly(key, request.args.get("X-Goog-Signature", "")):
            return _refused(403, "SignatureDoesNotMatch", "The signature is not the one that was given for this key.")
        blobs.put(key, request.get_data())
        return Response(status=200)

    @routes.get("/bulk-operation-outputs/<int:number>")
    def result(number: int) -> Response:
        operation = store.bulks.held.get(number)
        key = f"bulk-operation-outputs/{number}"
        path = blobs.find(key)
        if not blobs.signed_rightly(key, request.args.get("Signature", "")):
            return _refused(403, "SignatureDoesNotMatch", "Access denied.")
        if operation is None or path is None or not store.bulks.result_lives(operation):
            return _refused(400, "ExpiredToken", "Invalid argument: the address has expired.")
        return send_file(path, mimetype="application/jsonl", conditional=False, etag=False,
                         download_name=f"bulk-{number}.jsonl", as_attachment=True)

    def _stored(key: str, content: bytes, *, smallest: int) -> Response:
        if len(content) < smallest:
            return _refused(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum object size.")
        if len(content) > LARGEST_UPLOAD:
            return _refused(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")
        blobs.put(key, content)
        tag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return _xml(201, f"<PostResponse><Location>{request.host_url}{key}</Location><Bucket>staged-uploads</Bucket>"
                         f"<Key>{key}</Key><ETag>\"{tag}\"</ETag></PostResponse>")

    return routes


def _refused(status: int, code: str, message: str) -> Response:
    return _xml(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>")


def _xml(status: int, body: str) -> Response:
    answer: Any = Response(f"<?xml version='1.0' encoding='UTF-8'?>{body}", status, mimetype="application/xml")
    return answer  # type: ignore[no-any-return]
