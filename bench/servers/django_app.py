"""A Django app that takes chunks as drf-chunked-upload does: a form, appended to a file, its row saved, the file read
again for its checksum. Run by gunicorn; FOLDER and DATABASE_URL say where."""

import hashlib
import json
import os
import re
import uuid
from urllib.parse import unquote, urlparse

from django.conf import settings
from django.core.wsgi import get_wsgi_application

FOLDER = os.environ["FOLDER"]
DATABASE = urlparse(os.environ["DATABASE_URL"])

settings.configure(
    SECRET_KEY="bench",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    FILE_UPLOAD_TEMP_DIR=FOLDER,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": DATABASE.path[1:],
            "USER": unquote(DATABASE.username),
            "PASSWORD": unquote(DATABASE.password or ""),
            "HOST": DATABASE.hostname,
            "PORT": DATABASE.port,
            "CONN_MAX_AGE": None,
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
application = get_wsgi_application()

from django.db import connection, models  # noqa: E402
from django.http import HttpResponse, JsonResponse  # noqa: E402
from django.shortcuts import get_object_or_404  # noqa: E402
from django.urls import path  # noqa: E402

CONTENT_RANGE = re.compile(r"^bytes (\d+)-(\d+)/(\d+)$")


class ChunkedUpload(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    offset = models.BigIntegerField(default=0)
    status = models.PositiveSmallIntegerField(default=1)

    class Meta:
        app_label = "bench"

    @property
    def file(self):
        return os.path.join(FOLDER, f"{self.id}.part")


with connection.cursor() as cursor:
    # Each worker comes here; two that create a table at once would break one of them.
    cursor.execute(
        "SELECT pg_advisory_xact_lock(1); CREATE TABLE IF NOT EXISTS bench_chunkedupload (id uuid PRIMARY KEY, \"offset\" bigint, status smallint)"
    )


def chunk(request, id=None):
    # Django reads forms of POST only.
    request.method = "POST"
    upload = get_object_or_404(ChunkedUpload, id=id) if id else ChunkedUpload()
    start, end, _ = map(int, CONTENT_RANGE.match(request.headers["Content-Range"]).groups())
    received = request.FILES["file"]
    if start != upload.offset or received.size != end - start + 1:
        return JsonResponse({"detail": "Offsets do not match"}, status=400)
    with open(upload.file, "ab") as file:
        for piece in received.chunks():
            file.write(piece)
    upload.offset += received.size
    upload.save(force_insert=id is None)
    return JsonResponse({"id": upload.id, "url": f"/upload/{upload.id}", "offset": upload.offset})


def one(request, id):
    if request.method == "PUT":
        return chunk(request, id)
    upload = get_object_or_404(ChunkedUpload, id=id)
    if request.method == "DELETE":
        os.unlink(upload.file)
        upload.delete()
        return HttpResponse(status=204)
    digest = hashlib.md5()
    with open(upload.file, "rb") as file:
        while piece := file.read(65536):
            digest.update(piece)
    if digest.hexdigest() != json.loads(request.body)["md5"]:
        return JsonResponse({"detail": "md5 checksum does not match"}, status=400)
    upload.status = 2
    upload.save()
    return JsonResponse({"id": upload.id})


urlpatterns = [path("upload", chunk), path("upload/<uuid:id>", one)]
